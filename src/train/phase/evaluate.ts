import { DataError } from "../../data/data-error.ts";
import type { Batch } from "../../data/batch.ts";
import type { Size } from "../../data/resize.ts";
import type { Feeds, Program } from "../../graph/program.ts";
import type { Evaluation } from "../../runs/evaluation.ts";
import { ConfusionMatrix } from "../../runs/metrics.ts";
import { PhotoJudge } from "../../runs/photo-scores.ts";
import type { PhotoScores } from "../../runs/photo-scores.ts";

/** Why photos cannot be evaluated on. */
export const nothingCounts = (photos: number): DataError =>
  new DataError(
    `No pixel of the ${photos === 1 ? "one photo" : `${photos} photos`} to evaluate on counts, as all of their masks are to be ` +
      `ignored: give photos whose masks name classes.`,
  );

export interface EvaluateOptions {
  readonly classes: number;
  /** Of the photos as the network sees them. */
  readonly size: Size;
  /** How many photos' predictions to keep, the first ones; none by default. */
  readonly keep?: number;
  /** What the evaluator takes besides the labels: the photos by default. */
  readonly feed?: (batch: Batch) => Feeds | Promise<Feeds>;
  /** Looks at each photo: its labels and the likeliest class of each pixel, `[H, W]`, not to be kept. */
  readonly look?: (labels: Uint32Array, prediction: Uint32Array) => void;
}

/** How many of the worst photos, and of the best, keep their predictions. */
export const EXTREMES = 4;

/** What is known of some of the photos of an evaluation. */
export interface EvaluationPart {
  /** Of the loss of all pixels that count. */
  readonly sum: number;
  /** `[classes, classes]`, as a `ConfusionMatrix` has them. */
  readonly counts: Float64Array;
  /** Photos. */
  readonly count: number;
  readonly predictions: readonly Uint8Array[];
  readonly judged: PhotoScores;
}

/**
 * Runs the evaluator (see `compileEvaluator`) over `batches`.
 *
 * @throws DataError when no pixel of all photos counts.
 */
export async function evaluate(
  evaluator: Program,
  batches: AsyncIterable<Batch>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  return evaluationOf([await evaluatePart(evaluator, batches, options)], options);
}

/** Runs the evaluator over `batches` of some of the photos. */
export async function evaluatePart(
  evaluator: Program,
  batches: AsyncIterable<Batch>,
  { classes, size, keep = 0, feed = ({ images }) => ({ image: images }), look }: EvaluateOptions,
): Promise<EvaluationPart> {
  const confusion = new ConfusionMatrix(classes);
  const judge = new PhotoJudge(classes, EXTREMES);
  const predictions: Uint8Array[] = [];
  let count = 0;
  let sum = 0;
  for await (const batch of batches) {
    const { labels, count: photos } = batch;
    const results = await evaluator.run({ ...(await feed(batch)), labels });
    const before = confusion.total;
    confusion.addCounts(results.confusion);
    const counted = confusion.total - before;
    sum += results.loss[0] * counted;
    const pixels = size.width * size.height;
    for (let i = 0; i < photos; i++) {
      const [own, prediction] = [labels, results.prediction as Uint32Array].map((all) =>
        all.subarray(i * pixels, (i + 1) * pixels),
      );
      const kept = (): Uint8Array => Uint8Array.from(prediction);
      if (predictions.length < keep) predictions.push(kept());
      judge.add(batch.indices[i], own, prediction, () => ({ prediction: kept(), size }));
      look?.(own, prediction);
    }
    count += photos;
  }
  return { sum, counts: confusion.counts, count, predictions, judged: judge.judged };
}

/**
 * What parts of an evaluation, in the order of their photos, come to together.
 *
 * @throws DataError when no pixel of all photos counts.
 */
export function evaluationOf(
  parts: readonly EvaluationPart[],
  { classes, keep = 0 }: Pick<EvaluateOptions, "classes" | "keep">,
): Evaluation {
  const confusion = new ConfusionMatrix(classes);
  const judge = new PhotoJudge(classes, EXTREMES);
  for (const { counts, judged } of parts) {
    confusion.addCounts(counts);
    judge.addJudged(judged);
  }
  const count = parts.reduce((photos, part) => photos + part.count, 0);
  if (confusion.total === 0) throw nothingCounts(count);
  return {
    loss: parts.reduce((sum, part) => sum + part.sum, 0) / confusion.total,
    accuracy: confusion.accuracy,
    meanIou: confusion.meanIou,
    meanDice: confusion.meanDice,
    frequencyWeightedIou: confusion.frequencyWeightedIou,
    backgroundAccuracy: confusion.backgroundShare,
    count,
    confusion,
    predictions: parts.flatMap(({ predictions }) => predictions).slice(0, keep),
    scores: judge.scores,
  };
}
