import { DataError } from "../../data/data-error.ts";
import type { Batch } from "../../data/batch.ts";
import type { Feeds, Program } from "../../graph/program.ts";
import type { Evaluation } from "../../runs/evaluation.ts";
import { ConfusionMatrix } from "../../runs/metrics.ts";

/** Why photos cannot be evaluated on. */
export const nothingCounts = (photos: number): DataError =>
  new DataError(
    `No pixel of the ${photos === 1 ? "one photo" : `${photos} photos`} to evaluate on counts, as all of their masks are to be ` +
      `ignored: give photos whose masks name classes.`,
  );

export interface EvaluateOptions {
  readonly classes: number;
  /** How many photos' predictions to keep; none by default. */
  readonly keep?: number;
  /** What the evaluator takes besides the labels: the photos by default. */
  readonly feed?: (batch: Batch) => Feeds | Promise<Feeds>;
  /** Looks at each photo: its labels and the likeliest class of each pixel, `[S, S]`, not to be kept. */
  readonly look?: (labels: Uint32Array, prediction: Uint32Array) => void;
}

/**
 * Runs the evaluator (see `compileEvaluator`) over `batches`. Predictions are brought back from the GPU only for the photos that
 * are kept or looked at.
 *
 * @throws DataError when no pixel of all photos counts.
 */
export async function evaluate(
  evaluator: Program,
  batches: AsyncIterable<Batch>,
  { classes, keep = 0, feed = ({ images }) => ({ image: images }), look }: EvaluateOptions,
): Promise<Evaluation> {
  const confusion = new ConfusionMatrix(classes);
  const predictions: Uint8Array[] = [];
  let count = 0;
  let sum = 0;
  for await (const batch of batches) {
    const { labels, count: photos } = batch;
    const shown = look !== undefined || predictions.length < keep;
    const wanted = ["loss", "confusion", ...(shown ? ["prediction"] : [])];
    const results = await evaluator.run({ ...(await feed(batch)), labels }, wanted);
    const before = confusion.total;
    confusion.addCounts(results.confusion);
    const counted = confusion.total - before;
    sum += results.loss[0] * counted;
    const pixels = labels.length / batch.indices.length;
    for (let i = 0; shown && i < photos; i++) {
      const [own, prediction] = [labels, results.prediction as Uint32Array].map((all) =>
        all.subarray(i * pixels, (i + 1) * pixels),
      );
      if (predictions.length < keep) predictions.push(Uint8Array.from(prediction));
      look?.(own, prediction);
    }
    count += photos;
  }
  if (confusion.total === 0) throw nothingCounts(count);
  return {
    loss: sum / confusion.total,
    accuracy: confusion.accuracy,
    meanIou: confusion.meanIou,
    meanDice: confusion.meanDice,
    frequencyWeightedIou: confusion.frequencyWeightedIou,
    backgroundAccuracy: confusion.backgroundShare,
    count,
    confusion,
    predictions,
  };
}
