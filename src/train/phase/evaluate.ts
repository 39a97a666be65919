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
  readonly keep?: number;
  readonly feed?: (batch: Batch) => Feeds | Promise<Feeds>;
}

/**
 * Runs the evaluator (see `compileEvaluator`) over `batches`; the filling of a short last batch does not count.
 *
 * @param options.keep how many photos' predictions to keep.
 * @param options.feed what the evaluator takes besides the labels: the photos by default.
 */
export async function evaluate(
  evaluator: Program,
  batches: AsyncIterable<Batch>,
  { classes, keep = 0, feed = ({ images }) => ({ image: images }) }: EvaluateOptions,
): Promise<Evaluation> {
  const confusion = new ConfusionMatrix(classes);
  const predictions: Uint8Array[] = [];
  let count = 0;
  let sum = 0;
  for await (const batch of batches) {
    const { labels, count: valid } = batch;
    const results = await evaluator.run({ ...(await feed(batch)), labels });
    const prediction = results.prediction as Uint32Array;
    const pixels = labels.length / results.loss.length;
    for (let i = 0; i < valid; i++) sum += results.loss[i];
    confusion.add(labels, prediction, 0, valid * pixels);
    for (let i = 0; i < valid && predictions.length < keep; i++)
      predictions.push(Uint8Array.from(prediction.subarray(i * pixels, (i + 1) * pixels)));
    count += valid;
  }
  if (confusion.total === 0) throw nothingCounts(count);
  return {
    loss: sum / count,
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
