import { glorotUniform, zeros } from "../../graph/initializers.ts";
import type { Initializer } from "../../graph/initializers.ts";
import type { Tensor } from "../../graph/graph.ts";
import { where } from "../../graph/ops/compare.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { rowsProduct } from "../../graph/ops/rows-product.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { attentionWeights } from "../../graph/ops/softmax.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import { shapeText, sizeOf } from "../../graph/shape.ts";
import { dropped } from "./dropout.ts";
import { checkCount, defineLayer } from "./layer.ts";
import type { CallOptions, Layer, LayerOptions, LayerScope } from "./layer.ts";

/** What {@link multiHeadAttention} takes besides heads and their size. */
export interface MultiHeadAttentionOptions extends LayerOptions {
  /** Size of each head's values; that of its keys by default. */
  readonly valueDim?: number | undefined;
  /** Channels of the result; the query's by default. */
  readonly outputShape?: number | undefined;
  /** Share of the weights that becomes 0 in training; none by default. */
  readonly dropout?: number | undefined;
  /** Another seed gives other masks of dropout; 0 by default. */
  readonly seed?: number | undefined;
  /** Whether a query sees only what stands up to its own place; not by default. In Keras an argument of the call. */
  readonly useCausalMask?: boolean | undefined;
  /** Whether the four projections have biases, as by default. */
  readonly useBias?: boolean | undefined;
  /** `glorotUniform` by default, which takes the last two axes of a kernel for its channels, as Keras does. */
  readonly kernelInitializer?: Initializer | undefined;
  /** `zeros` by default. */
  readonly biasInitializer?: Initializer | undefined;
}

/** How attention is applied. */
export interface AttentionCall extends CallOptions {
  /** Where the values come from, `[N, S, Dv]`; the query itself, self-attention, by default. */
  readonly value?: Tensor | undefined;
  /** Where the keys come from, `[N, S, Dk]`; the value by default. */
  readonly key?: Tensor | undefined;
  /** u32 `[N, T, S]`, or 1 for N or T: 0 where a query does not see a key. A query that sees none takes all alike, as in Keras. */
  readonly attentionMask?: Tensor | undefined;
}

/** What a masked score becomes; its exponential is 0 beside any other. */
const MASKED = -1e9;

/**
 * Keras `MultiHeadAttention` (Vaswani et al. 2017): `query` `[N, T, D]` to `[N, T, D]`. Each of `numHeads` heads takes the softmax over the S
 * keys of q·k/√`keyDim` for weights of the values; their results are projected together.
 *
 * Its variables are Keras's: `query/kernel` `[D, heads, keyDim]` and `query/bias` `[heads, keyDim]`, `key/…`, `value/…`, and
 * `attention_output/kernel` `[heads, valueDim, D]` and `attention_output/bias` `[D]`.
 *
 * @throws Error when a number is not whole and from 1, or the rate of dropout out of range; when what it is applied to is not `[N, T, D]`, or query,
 *   key and value do not fit each other.
 */
export function multiHeadAttention(
  numHeads: number,
  keyDim: number,
  options: MultiHeadAttentionOptions = {},
): Layer<AttentionCall> {
  const { valueDim = keyDim, outputShape, dropout = 0, seed = 0, useCausalMask = false } = options;
  checkCount("multiHeadAttention", "numHeads", numHeads);
  checkCount("multiHeadAttention", "keyDim", keyDim);
  checkCount("multiHeadAttention", "valueDim", valueDim);
  if (outputShape !== undefined) checkCount("multiHeadAttention", "outputShape", outputShape);
  if (!(dropout >= 0 && dropout < 1))
    throw new Error(`multiHeadAttention takes a rate of dropout from 0 to below 1, not ${dropout}.`);
  return defineLayer<AttentionCall>("multi_head_attention", options, (query, scope, call) => {
    const { value = query, key = value, attentionMask } = call;
    checkSequences(query, key, value);
    const heads = (role: string, x: Tensor, size: number): Tensor =>
      toHeads(project(scope, role, x, [x.shape[2]], [numHeads, size], options));
    const q = heads("query", query, keyDim);
    const scores = matmul(q, heads("key", key, keyDim), { transposeB: true });
    const weights = weightsOf(scores, { scale: 1 / Math.sqrt(keyDim), causal: useCausalMask }, attentionMask);
    const kept = dropped(weights, dropout, seed, scope, call);
    const attended = transpose(matmul(kept, heads("value", value, valueDim)), [0, 2, 1, 3]);
    return project(
      scope,
      "attention_output",
      attended,
      [numHeads, valueDim],
      [outputShape ?? query.shape[2]],
      options,
    );
  });
}

/** Masks scores that are not to be seen before the weights are made of them. */
function weightsOf(
  scores: Tensor,
  options: { scale: number; causal: boolean },
  mask: Tensor | undefined,
): Tensor {
  if (!mask) return attentionWeights(scores, options);
  const [batch, , queries, keys] = scores.shape;
  const [n, t, s] = mask.shape;
  const fits =
    mask.shape.length === 3 && (n === batch || n === 1) && (t === queries || t === 1) && s === keys;
  if (!fits || mask.dtype !== "u32") {
    throw new Error(
      `multiHeadAttention: the mask "${mask.name}" is ${mask.dtype} ${shapeText(mask.shape)} and must be u32 ` +
        `${shapeText([batch, queries, keys])}, or 1 for one of the first two.`,
    );
  }
  return attentionWeights(where(reshape(mask, [n, 1, t, s]), scores, MASKED), options);
}

/** `x` `[N, T, ..from]` by a kernel `[..from, ..to]`, with a bias `[..to]`: `[N, T, ..to]`. */
function project(
  scope: LayerScope,
  role: string,
  x: Tensor,
  from: readonly number[],
  to: readonly number[],
  { useBias = true, kernelInitializer = glorotUniform, biasInitializer = zeros }: MultiHeadAttentionOptions,
): Tensor {
  const [inputs, outputs] = [sizeOf(from), sizeOf(to)];
  const kernel = scope.parameter(`${role}/kernel`, [...from, ...to], kernelInitializer);
  const rows = reshape(x, [sizeOf(x.shape) / inputs, inputs]);
  const bias = useBias ? reshape(scope.parameter(`${role}/bias`, to, biasInitializer), [outputs]) : undefined;
  const y = rowsProduct(rows, reshape(kernel, [inputs, outputs]), bias);
  return reshape(y, [...x.shape.slice(0, 2), ...to]);
}

/** `[N, T, heads, size]` to `[N, heads, T, size]`. */
const toHeads = (x: Tensor): Tensor => transpose(x, [0, 2, 1, 3]);

function checkSequences(query: Tensor, key: Tensor, value: Tensor): void {
  for (const { name, shape } of [query, key, value]) {
    if (shape.length !== 3)
      throw new Error(`multiHeadAttention takes sequences [N, T, D]; "${name}" is ${shapeText(shape)}.`);
  }
  const batches = new Set([query, key, value].map(({ shape }) => shape[0]));
  if (batches.size > 1 || key.shape[1] !== value.shape[1]) {
    const text = [query, key, value].map(({ name, shape }) => `"${name}" ${shapeText(shape)}`).join(", ");
    throw new Error(
      `multiHeadAttention: query, key and value do not fit (${text}): all are of one batch, and there is a value for each key.`,
    );
  }
}
