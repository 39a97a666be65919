import { Command } from "commander";
import { loadModel } from "../use/model.ts";
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

/** Photos at once, unless told otherwise: they are in memory at their full size. */
const BATCH_SIZE = 4;
/** Classes that are named on the terminal for each photo. */
const NAMED = 4;

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
  const { images, out, logits = false, adapter, ...flags } = command.opts<PredictFlags>();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const model = await loadModel(flags.model, flags);
  const jobs = await predictJobs(images, out);
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    say(`Model: ${model.file}, ${model.imageSize}×${model.imageSize}, ${model.classNames.length} classes`);
    const batchSize = Math.min(flags.batchSize ?? BATCH_SIZE, jobs.length);
    const predictor = await Predictor.create(gpu, model, { batchSize });
    try {
      await makeOutputFolder(out);
      const bad = await predictPhotos(predictor, jobs, {
        logits,
        signal: interrupted,
        onDone: ({ photo, mask }, shares) => {
          const named = shares
            .slice(0, NAMED)
            .map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`);
          say(`${photo} → ${mask}: ${named.join(", ")}${shares.length > NAMED ? " …" : ""}`);
        },
        onBad: (sentence) => void process.stderr.write(`${sentence}\n`),
      });
      if (bad > 0) process.exitCode = 1;
      say(`${jobs.length - bad} of ${jobs.length} photos labelled, in ${out}`);
    } finally {
      predictor.destroy();
    }
  } finally {
    gpu.destroy();
  }
});
