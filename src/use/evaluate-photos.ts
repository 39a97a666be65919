import { ModelError } from "./model.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { IGNORE } from "../data/dataset.ts";
import { resizeNearest } from "../data/resize.ts";
import type { Size } from "../data/resize.ts";
import { sizeWithin } from "../runs/figures/overlay.ts";
import { MOST_PIXELS } from "../runs/figures/judged.ts";
import { DataError } from "../data/data-error.ts";
import { BoundaryF1 } from "../runs/boundary-f1.ts";
import { ConfusionMatrix } from "../runs/metrics.ts";
import { PhotoJudge } from "../runs/photo-scores.ts";
import type { JudgedPhoto } from "../runs/photo-scores.ts";
import { EXTREMES, nothingCounts } from "../train/phase/evaluate.ts";
import type { Labeller } from "./labeller.ts";
import type { EvaluateOptions, ModelEvaluation } from "./model-evaluation.ts";

/**
 * Compares masks at the size of the photos: each photo as a labeller labels it with its own mask, pixel by pixel. A large photo counts
 * more than a small one. There is no loss, for a mask says which class is the likeliest and not how likely.
 *
 * @throws ModelError when the photos have no size of their own; DataError; GpuError; the signal's reason.
 */
export async function evaluateAtOwnSize(
  labeller: Labeller,
  dataset: SegmentationDataset,
  { onProgress = () => {}, signal }: Pick<EvaluateOptions, "onProgress" | "signal">,
): Promise<ModelEvaluation> {
  if (!dataset.atOwnSize) {
    throw new ModelError(
      "The run drew its photos at the network's size, so they have none of their own: give --data, or leave --resolution, " +
        "--window and --tta out.",
    );
  }
  const classes = labeller.model.classNames.length;
  const [confusion, boundaryF1] = [new ConfusionMatrix(classes), new BoundaryF1(classes)];
  const judge = new PhotoJudge(classes, EXTREMES);
  const { photosAtOnce, precision } = labeller;
  let pixels = 0;
  for (let first = 0; first < dataset.size; first += photosAtOnce) {
    const indices = Array.from({ length: Math.min(photosAtOnce, dataset.size - first) }, (_, i) => first + i);
    const pairs = await Promise.all(indices.map((index) => dataset.atOwnSize!(index)));
    signal?.throwIfAborted();
    for (const { photo } of pairs) {
      const problem = labeller.problemOf?.(photo);
      if (problem) throw new DataError(`A photo of the validation part ${problem}`);
    }
    const labelled = await labeller.label(
      pairs.map(({ photo }) => photo),
      signal,
    );
    pairs.forEach(({ mask: { labels, width, height } }, i) => {
      const { mask } = labelled[i];
      const counts = (label: number): boolean => !dataset.ignores || label !== IGNORE;
      const truth = labels.filter(counts);
      confusion.add(
        truth,
        truth.length === labels.length ? mask : mask.filter((_, at) => counts(labels[at])),
      );
      boundaryF1.add(labels, mask, width);
      judge.add(indices[i], labels, mask, () => keepable(mask, { width, height }));
      pixels += labels.length;
    });
    onProgress(first + indices.length);
    signal?.throwIfAborted();
  }
  if (confusion.total === 0) throw nothingCounts(dataset.size);
  return {
    loss: null,
    accuracy: confusion.accuracy,
    meanIou: confusion.meanIou,
    meanDice: confusion.meanDice,
    frequencyWeightedIou: confusion.frequencyWeightedIou,
    backgroundAccuracy: confusion.backgroundShare,
    ...{ count: dataset.size, confusion, boundaryF1, precision, pixels },
    scores: judge.scores,
    gpuBytes: labeller.bytes,
  };
}

/** A prediction that is kept for a picture, no larger than that. */
function keepable(mask: Uint8Array, size: Size): Pick<JudgedPhoto, "prediction" | "size"> {
  const to = sizeWithin(size, MOST_PIXELS);
  return { prediction: resizeNearest(mask, size, to), size: to };
}
