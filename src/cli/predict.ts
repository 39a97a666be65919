import { Command } from "commander";
import { count } from "../data/data-error.ts";
import { loadModel } from "../use/model.ts";
import { printable } from "../files/printable.ts";
import { choosePrecision } from "../use/precision.ts";
import { formatBytes } from "../text-table.ts";
import { makeOutputFolder } from "../use/output-folder.ts";
import { predictJobs } from "../use/predict-files.ts";
import { predictPhotos } from "../use/predict.ts";
import { Predictor } from "../use/predictor.ts";
import { describeAdapter } from "../adapter/adapters.ts";
import { addModelOptions } from "./model-options.ts";
import type { ModelFlags } from "./model-options.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import { runCommand } from "./run-command.ts";
import { userPath } from "./user-path.ts";

interface PredictFlags extends ModelFlags {
  readonly images: string;
  readonly out: string;
  readonly logits?: true;
}

/** Photos at once by default: they are in memory at their full size. */
const BATCH_SIZE = 4;
/** Classes that are named on the terminal for each photo. */
const NAMED = 4;
/** Photos that could not be labelled and are named, each with the reason. */
const FAILURES_TOLD = 10;

const command = addModelOptions(new Command("predict"))
  .description("Labels every pixel of photos with a trained model.")
  .requiredOption(
    "--images <path>",
    "a photo, or a folder of photos (its subfolders are not searched)",
    userPath,
  )
  .requiredOption("--out <folder>", "gets a mask, an overlay and the class shares of each photo", userPath)
  .option("--logits", "write the network's logits of each photo too");

await runCommand(command, async (interrupted) => {
  const { images, out, logits = false, adapter, precision: asked, ...flags } = command.opts<PredictFlags>();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const model = await loadModel(flags.model, flags);
  const { jobs, passedOver } = await predictJobs(images, out);
  if (passedOver !== null) say(`Passed over in ${images}: ${passedOver}`);
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    const { precision, text } = choosePrecision(gpu, model, asked);
    say(`Model: ${model.file}, ${model.imageSize}×${model.imageSize}, ${model.classNames.length} classes`);
    say(`Precision: ${text}`);
    // A place that cannot be written to is told of before the work.
    await makeOutputFolder(out);
    const batchSize = Math.min(flags.batchSize ?? BATCH_SIZE, jobs.length);
    const predictor = await Predictor.create(gpu, model, { batchSize, precision });
    say(`Memory: ${formatBytes(predictor.bytes)} on the GPU`);
    const failures: string[] = [];
    try {
      const bad = await predictPhotos(predictor, jobs, {
        logits,
        signal: interrupted,
        onDone: ({ photo, mask }, shares) => {
          const named = shares
            .slice(0, NAMED)
            .map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`);
          const more = shares.length > NAMED ? " …" : "";
          say(`${printable(photo, 1000)} → ${printable(mask, 1000)}: ${named.join(", ")}${more}`);
        },
        onNote: (sentence) => say(`Note: ${sentence}`),
        onBad: (sentence) => void failures.push(sentence),
      });
      if (bad > 0) process.exitCode = 1;
      say(`${jobs.length - bad} of ${jobs.length} photos labelled, in ${out}`);
    } finally {
      // Also where the work ends before its time.
      tellOf(failures);
      predictor.destroy();
    }
  } finally {
    gpu.destroy();
  }
});

/** The first failures, and how many more there are. */
function tellOf(failures: readonly string[]): void {
  for (const sentence of failures.slice(0, FAILURES_TOLD)) process.stderr.write(`${sentence}\n`);
  const more = failures.length - FAILURES_TOLD;
  if (more > 0) process.stderr.write(`… and ${count(more, "more photo")} that could not be labelled\n`);
}
