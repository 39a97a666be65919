import { dropoutForward, dropoutImages } from "../../kernels/dropout.ts";
import type { Tensor } from "../graph.ts";
import { imageExtents } from "../lowering/image-sums.ts";
import { batchSlice } from "../op.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { DType } from "../shape.ts";

/** How much is dropped, and what decides which numbers. */
export interface DropoutOptions {
  /** Share of what becomes 0, from 0 to below 1. */
  readonly rate: number;
  /** Whether a photo is dropped or kept as a whole (Keras `noise_shape` (None, 1, 1, 1), drop connect); not by default. */
  readonly perPhoto?: boolean;
  /** A whole number below 2³², another one for each layer of a network. */
  readonly seed: number;
  /** Which step of the training this is, a u32 scalar: each has a mask of its own. */
  readonly step: Tensor;
}

/**
 * Dropout as in training (Keras `Dropout`): each number of `x` `[N, .., C]`, or with `perPhoto` each item of the batch, becomes 0 with
 * probability `rate`, and the others are divided by 1 − rate. Rate 0 is x itself.
 *
 * The mask is a function of seed, step and place (Philox4x32-10): the same bits on every adapter and however the batch is cut,
 * and computed again for the gradient instead of stored.
 *
 * @throws Error when x has no batch axis, the rate or seed is out of range, or the step is no u32 scalar.
 */
export function dropout<D extends DType>(x: Tensor<D>, options: DropoutOptions): Tensor<D> {
  const { rate, perPhoto = false, seed, step } = options;
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout takes a rate from 0 to below 1, not ${rate}.`);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new Error(`dropout takes a seed of whole numbers from 0 to below 2³², not ${seed}.`);
  if (step.dtype !== "u32" || step.shape.length !== 0) {
    throw new Error(
      `dropout: the step must be a u32 scalar; "${step.name}" is ${step.dtype} ${shapeText(step.shape)}.`,
    );
  }
  if (x.shape.length < 2)
    throw new Error(`dropout takes a batch, [N, .., C]; "${x.name}" is ${shapeText(x.shape)}.`);
  if (rate === 0) return x;
  const perItem = sizeOf(x.shape.slice(1));
  return x.graph.apply(
    {
      name: "dropout",
      family: "elementwise",
      outputs: [x],
      constants: [step],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const { first, count } = range;
          const kernel = perPhoto
            ? dropoutImages(l.target, { batch: count, ...imageExtents(x) }, { rate, seed, begin: first })
            : dropoutForward(l.target, count * perItem, { rate, seed, begin: first * perItem });
          l.dispatch(kernel, { x: batchSlice(x, range), step, y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => dropout(dy!, options), null],
    },
    [x, step],
  ).outputs[0];
}
