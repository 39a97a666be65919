import { softmaxBackward, softmaxForward } from "../../kernels/softmax.ts";
import type { SoftmaxOptions } from "../../kernels/softmax.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { lastAxis } from "../lowering/last-axis.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * Softmax over the last axis of `x` `[N, .., classes]` (`tf.nn.softmax`).
 *
 * @throws Error when `x` has fewer than two axes.
 */
export function softmax<D extends DType>(x: Tensor<D>): Tensor<D> {
  return applySoftmax("softmax", x, {});
}

/** Options of {@link attentionWeights}. */
export interface AttentionWeightsOptions {
  /** What the scores are multiplied by, above 0; 1 by default, of dot products of K numbers usually 1/√K. */
  readonly scale?: number | undefined;
  /**
   * Whether a query sees only keys up to its own place (a causal mask): row i of `[T, S]` the first S − T + i + 1 keys. What it does not see has
   * weight 0 and is not multiplied by anything. Not by default.
   */
  readonly causal?: boolean | undefined;
}

/**
 * Weights of attention (Vaswani et al. 2017): the softmax over the last axis of `scale` times `scores` `[.., T, S]`, of T queries for S keys. One
 * dispatch forward and one back, causal or not.
 *
 * @throws Error when there are no two axes besides the batch, the scale is not above 0, or with `causal` there are more queries than keys.
 */
export function attentionWeights<D extends DType>(
  scores: Tensor<D>,
  { scale = 1, causal = false }: AttentionWeightsOptions = {},
): Tensor<D> {
  const op = "attentionWeights";
  if (!(scale > 0 && Number.isFinite(scale)))
    throw new Error(`${op}: scale must be a number above 0, not ${scale}.`);
  const { name, shape } = scores;
  if (shape.length < 3) throw new Error(`${op} takes scores [.., T, S]; "${name}" is ${shapeText(shape)}.`);
  const [queries, keys] = shape.slice(-2);
  if (causal && queries > keys) {
    throw new Error(
      `${op}: of the ${queries} queries of "${name}" ${shapeText(shape)} the first would see none of the ${keys} keys.`,
    );
  }
  return applySoftmax(op, scores, { scale, ...(causal && { queries }) });
}

function applySoftmax<D extends DType>(op: string, x: Tensor<D>, options: SoftmaxOptions): Tensor<D> {
  const { extent, rowsPerItem } = lastAxis(op, x);
  return x.graph.apply(
    {
      name: op === "softmax" ? "softmax" : "attention_weights",
      family: "loss",
      outputs: [x],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = softmaxForward(l.target, range.count * rowsPerItem, extent, options);
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy], [y]) => [() => softmaxGradient(y, dy!, options)],
    },
    [x],
  ).outputs[0];
}

function softmaxGradient(y: Tensor, dy: Tensor, { scale }: SoftmaxOptions): Tensor {
  const { extent, rowsPerItem } = lastAxis("softmax", y);
  return y.graph.apply(
    {
      name: "softmax_gradient",
      family: "loss",
      outputs: [y],
      lower(l, [dx]) {
        for (const range of l.slices([y, dy, dx])) {
          const kernel = softmaxBackward(l.target, range.count * rowsPerItem, extent, { scale });
          l.dispatch(kernel, {
            y: batchSlice(y, range),
            dy: batchSlice(dy, range),
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [y, dy],
  ).outputs[0];
}
