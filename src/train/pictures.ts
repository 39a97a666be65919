import { applySteps } from "../data/augment.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { decodePair } from "../data/decode.ts";
import type { PairOptions } from "../data/decode.ts";
import type { Pair } from "../data/formats/format.ts";
import type { TrainConfig } from "../config/index.ts";
import type { Evaluation } from "../runs/evaluation.ts";
import { augmentationsFigure } from "../runs/figures/augmentations.ts";
import { classesFigure } from "../runs/figures/classes.ts";
import { confusionFigure } from "../runs/figures/confusion.ts";
import { curvesFigure } from "../runs/figures/curves.ts";
import { judgedFigures } from "../runs/figures/judged.ts";
import { pictureOf } from "../runs/figures/mosaic.ts";
import type { Picture } from "../runs/figures/mosaic.ts";
import { withoutSurroundings } from "../runs/figures/not-counted.ts";
import { predictionsFigure } from "../runs/figures/predictions.ts";
import { resizedFigure } from "../runs/figures/resized.ts";
import { samplesFigure } from "../runs/figures/samples.ts";
import type { HistoryRow } from "../runs/history.ts";
import type { RunData } from "./run-data.ts";
import type { FigureName } from "../runs/run-folder.ts";

/** PNGs by the name of their figure. */
export type Pictures = Partial<Record<FigureName, Buffer>>;

/** Photos on a picture of samples. */
const SHOWN = 4;

/** What a run begins with: samples, the same before and after resizing (drawn ones need none), augmentations of one. */
export async function dataPictures(
  { photos, folder, maskInterpolation }: RunData,
  { augment, lossyMasks }: TrainConfig,
): Promise<Pictures> {
  const { classNames, names } = photos;
  const indices = names.slice(0, SHOWN).map((_, index) => index);
  const samples = await Promise.all(indices.map((index) => photos.load(index)));
  const after = samples.map((sample, index) => pictureOf({ ...sample, name: names[index] }));
  const pairs = indices.map((index) => folder?.pairs.find(({ name }) => name === names[index]));
  const before = await Promise.all(
    pairs.flatMap((pair) => (pair ? [originalOf(pair, { labelling: folder!.labelling, lossyMasks })] : [])),
  );
  const shown = ["original" as const, ...(augment ?? []).filter((name) => name !== "original")];
  const columns = await Promise.all(
    shown.map(async (name, seed) => {
      const steps = { names: [name], options: { maskInterpolation }, seed };
      const sample = await applySteps(samples[0], steps, samples.at(-1));
      return { name, picture: pictureOf({ ...sample, name }) };
    }),
  );
  return {
    samples: await samplesFigure({ samples: before.length > 0 ? before : after, classNames }),
    ...(before.length > 0 && { resized: await resizedFigure({ before, after, classNames }) }),
    augmentations: await augmentationsFigure({ columns, classNames }),
  };
}

async function originalOf(pair: Pair, options: PairOptions): Promise<Picture> {
  const { photo, mask } = await decodePair(pair, options);
  return { name: pair.name, width: photo.width, height: photo.height, rgb: photo.pixels, mask: mask.labels };
}

/** What the network says of the first validation photos, beside the truth. */
export async function predictionsPicture(
  validation: SegmentationDataset,
  { predictions }: Evaluation,
  title: string,
): Promise<Buffer> {
  const samples = await Promise.all(
    predictions.map(async (prediction, index) => {
      const { mask, ...sample } = await validation.load(index);
      const isPadded = validation.resize === "letterbox";
      return {
        ...{ ...sample, name: validation.names[index], truth: mask },
        prediction: isPadded ? withoutSurroundings(prediction, mask, sample) : prediction,
      };
    }),
  );
  return predictionsFigure({ samples, classNames: validation.classNames, title });
}

/**
 * What a run ends with: curves, how well each class is told from the others on the validation photos, and which of these were
 * labelled worst and best.
 */
export async function endPictures(
  rows: readonly HistoryRow[],
  validation: SegmentationDataset,
  evaluation: Evaluation,
  title: string,
): Promise<Pictures> {
  const { confusion, meanIou, meanDice, accuracy, backgroundAccuracy, scores } = evaluation;
  const { classNames } = validation;
  const iou = confusion.iou();
  const truthPixels = confusion.pixelCounts();
  return {
    curves: await curvesFigure(rows, { title, backgroundAccuracy }),
    confusion: await confusionFigure({ counts: confusion.counts, classNames }),
    classes: await classesFigure({ iou, truthPixels, classNames, meanIou, meanDice, accuracy }),
    ...(await judgedFigures({ dataset: validation, scores, classNames, title })),
  };
}
