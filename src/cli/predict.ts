import { join } from "node:path";
import { PHOTOS } from "../use/predictor.ts";
import { loadModel, ModelError } from "../use/model.ts";
import { printable } from "../files/printable.ts";
import { formatBytes } from "../text-table.ts";
import { CocoFile } from "../use/outline-files.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { photosToLabel } from "../use/predict-files.ts";
import { FolderSink } from "../use/folder-sink.ts";
import { OUTPUTS } from "../use/output-kinds.ts";
import { outputNames } from "../use/output-sink.ts";
import { predictPhotos } from "../use/predict.ts";
import { speedText } from "../use/predict-summary.ts";
import { viewFor } from "./view-for.ts";
import { Failures } from "./failures.ts";
import { runCommand } from "./run-command.ts";
import { predictCommand } from "./definitions/predict.ts";
import type { PredictFlags } from "./definitions/predict.ts";
import { refuseLogits, withLabeller } from "./with-labeller.ts";

/** The file of all photos' areas. */
const COCO = "_annotations.coco.json";
/** Classes that are named on the terminal for each photo. */
const NAMED = 4;
/** Of the files that are made of a photo, the one that is named on the terminal: the first in the order of `OUTPUTS`. */
const MAIN_OUTPUT = { mask: "mask", overlay: "overlay", json: "shares" } as const;

const command = predictCommand();

await runCommand(command, async (interrupted) => {
  const flags = command.opts<PredictFlags>();
  if (!isOfShards(flags)) return predictFew(flags, interrupted);
  const { predictShards } = await import("./predict-shards.ts");
  return predictShards(flags, interrupted);
});

function isOfShards({ list, tar, shard, shardSize, outputsAs, root }: PredictFlags): boolean {
  return [list, tar, shard, shardSize, outputsAs, root].some((flag) => flag !== undefined);
}

/** Labels a photo or those of a folder, each into files beside those of the others. */
async function predictFew(
  { images, out, logits, maskPng = "grey", outlines = [], outputs = OUTPUTS, ...flags }: PredictFlags,
  interrupted: AbortSignal,
): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (images === undefined)
    throw new ModelError("There are no photos to be labelled: give --images, or --list or --tar for many.");
  const model = await loadModel(flags.model, flags);
  const view = viewFor(model, flags);
  if (logits) refuseLogits(model, view);
  const { photos, passedOver } = await photosToLabel(images, out);
  if (outlines.includes("coco") && photos.some(({ stem }) => outputNames(stem).shares === COCO))
    throw new ModelError(
      `A photo's results would be written to ${COCO}, as the areas of all photos: rename it.`,
    );
  if (passedOver !== null) say(`Passed over in ${images}: ${passedOver}`);
  const { batchSize: asked = view.window === null ? PHOTOS : undefined } = flags;
  const isOfPhotos = view.window === null && typeof asked === "number";
  const batchSize = isOfPhotos ? Math.min(asked, photos.length) : asked;
  const sizes = { batchSize, photos: photos.length };
  await withLabeller(model, { ...flags, ...view, ...sizes, out }, say, async (labeller) => {
    const failures = new Failures();
    const main = MAIN_OUTPUT[outputs[0]];
    const coco = outlines.includes("coco") ? new CocoFile(model.classNames) : undefined;
    try {
      const outcome = await predictPhotos(labeller, photos, new FolderSink(out), {
        ...{ outputs, logits, maskPng },
        ...{ geoJson: outlines.includes("geojson"), coco },
        signal: interrupted,
        onDone: ({ photo, stem }, shares) => {
          const file = join(out, outputNames(stem)[main]);
          const named = shares
            .slice(0, NAMED)
            .map(({ name, share }) => `${name} ${(100 * share).toFixed(1)} %`);
          const more = shares.length > NAMED ? " …" : "";
          say(`${printable(photo, 1000)} → ${printable(file, 1000)}: ${named.join(", ")}${more}`);
        },
        onNote: (sentence) => say(`Note: ${sentence}`),
        onBad: (_, sentence) => failures.add(sentence),
      });
      if (outcome.failed > 0) process.exitCode = 1;
      say(`Memory: ${formatBytes(labeller.bytes)} on the GPU`);
      const speed = speedText(outcome);
      if (speed !== null) say(speed);
      say(`${outcome.labelled} of ${photos.length} photos labelled, in ${out}`);
    } finally {
      // Also where the work ends before its time.
      if (coco && !coco.isEmpty)
        await writeFileAtomically(join(out, COCO), [Buffer.from(JSON.stringify(coco))]);
      failures.tell();
    }
  });
}
