import type { Batch } from "../data/batch.ts";
import type { Program } from "../graph/program.ts";

export interface Evaluation {
  /** Mean cross-entropy over all pixels of all photos. */
  readonly loss: number;
  /** Share of pixels whose likeliest class is the right one. */
  readonly accuracy: number;
  /** Share of pixels of class 0: the accuracy of predicting background everywhere on the same photos. */
  readonly backgroundAccuracy: number;
  /** Photos seen. */
  readonly count: number;
}

/** Runs the evaluator (see `compileEvaluator`) over `batches`; the filling of a short last batch does not count. */
export async function evaluate(evaluator: Program, batches: AsyncIterable<Batch>): Promise<Evaluation> {
  let count = 0;
  let loss = 0;
  let accuracy = 0;
  let background = 0;
  for await (const { images, labels, count: valid } of batches) {
    const results = await evaluator.run({ image: images, labels }, ["loss", "accuracy"]);
    const pixels = labels.length / results.loss.length;
    for (let i = 0; i < valid; i++) {
      loss += results.loss[i];
      accuracy += results.accuracy[i];
    }
    for (let i = 0; i < valid * pixels; i++) if (labels[i] === 0) background += 1 / pixels;
    count += valid;
  }
  return { loss: loss / count, accuracy: accuracy / count, backgroundAccuracy: background / count, count };
}
