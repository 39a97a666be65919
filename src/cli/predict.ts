import { join } from "node:path";
import { count } from "../data/data-error.ts";
import { createLabeller } from "../use/create-labeller.ts";
import { PHOTOS } from "../use/predictor.ts";
import { loadModel, ModelError } from "../use/model.ts";
import { printable } from "../files/printable.ts";
import { choosePrecision } from "../use/precision.ts";
import { formatBytes } from "../text-table.ts";
import { sizeText } from "../image-size.ts";
import { makeOutputFolder } from "../use/output-folder.ts";
import { CocoFile } from "../use/outline-files.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { photosToLabel } from "../use/predict-files.ts";
import { FolderSink } from "../use/folder-sink.ts";
import { outputNames } from "../use/output-sink.ts";
import { predictPhotos } from "../use/predict.ts";
import { describeAdapter } from "../adapter/adapters.ts";
import { viewFor } from "./view-for.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import { runCommand } from "./run-command.ts";
import { predictCommand } from "./definitions/predict.ts";
import type { PredictFlags } from "./definitions/predict.ts";

/** The file of all photos' areas. */
const COCO = "_annotations.coco.json";
/** Classes that are named on the terminal for each photo. */
const NAMED = 4;
/** Photos that could not be labelled and are named, each with the reason. */
const FAILURES_TOLD = 10;

const command = predictCommand();

await runCommand(command, async (interrupted) => {
  const {
    images,
    out,
    logits = false,
    maskPng = "grey",
    outlines = [],
    adapter,
    precision: asked,
    ...flags
  } = command.opts<PredictFlags>();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const model = await loadModel(flags.model, flags);
  const view = viewFor(model, flags);
  const isSeenOnce = view.window === null && view.tta.length === 0 && model.resize !== "short-side";
  if (logits && !isSeenOnce)
    throw new ModelError(
      "--logits are what the network says of a photo once, at the size it was trained at: leave --window and --tta out, or --logits.",
    );
  const { photos, passedOver } = await photosToLabel(images, out);
  if (outlines.includes("coco") && photos.some(({ stem }) => outputNames(stem).shares === COCO))
    throw new ModelError(
      `A photo's results would be written to ${COCO}, as the areas of all photos: rename it.`,
    );
  if (passedOver !== null) say(`Passed over in ${images}: ${passedOver}`);
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    const { precision, text } = choosePrecision(gpu, model, asked);
    say(`Model: ${model.file}, ${sizeText(model.imageSize)}, ${model.classNames.length} classes`);
    say(`Precision: ${text}`);
    // A place that cannot be written to is told of before the work.
    await makeOutputFolder(out);
    const labeller = await createLabeller(gpu, model, {
      ...{ ...view, precision },
      batchSize: view.window === null ? Math.min(flags.batchSize ?? PHOTOS, photos.length) : flags.batchSize,
    });
    say(`Seen: ${labeller.view}`);
    const failures: string[] = [];
    const coco = outlines.includes("coco") ? new CocoFile(model.classNames) : undefined;
    try {
      const { labelled, failed } = await predictPhotos(labeller, photos, new FolderSink(out), {
        logits,
        maskPng,
        ...{ geoJson: outlines.includes("geojson"), coco },
        signal: interrupted,
        onDone: ({ photo, stem }, shares) => {
          const mask = join(out, outputNames(stem).mask);
          const named = shares
            .slice(0, NAMED)
            .map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`);
          const more = shares.length > NAMED ? " …" : "";
          say(`${printable(photo, 1000)} → ${printable(mask, 1000)}: ${named.join(", ")}${more}`);
        },
        onNote: (sentence) => say(`Note: ${sentence}`),
        onBad: (_, sentence) => void failures.push(sentence),
      });
      if (failed > 0) process.exitCode = 1;
      say(`Memory: ${formatBytes(labeller.bytes)} on the GPU`);
      say(`${labelled} of ${photos.length} photos labelled, in ${out}`);
    } finally {
      // Also where the work ends before its time.
      if (coco && !coco.isEmpty)
        await writeFileAtomically(join(out, COCO), [Buffer.from(JSON.stringify(coco))]);
      tellOf(failures);
      labeller.destroy();
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
