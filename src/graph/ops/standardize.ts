import { standardizeBackward, standardizeForward, standardizeSums } from "../../kernels/standardize.ts";
import { productsAndNorms } from "../fuse/products-and-norms.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { StandardizePattern } from "../pattern.ts";
import { sizeOf } from "../shape.ts";
import { checkChannels, reductionParts, rowsPerItem } from "./channel-reduction.ts";
import { concat } from "./concat.ts";
import { channelMoments } from "./moments.ts";
import type { DType } from "../shape.ts";

/** What has been made of a tensor, by ε: batch norms that read the same channels share it. */
const known = new WeakMap<Tensor, Map<number, Tensor>>();

/**
 * x̂ = (x − mean)/sqrt(variance + ε), with mean and biased variance of `x` `[N, .., C]` over all axes but the last, through
 * which the gradient flows: the first half of a batch norm (Ioffe & Szegedy 2015).
 *
 * The standardization of a concatenation is the concatenation of the standardizations, and is built as such. So each
 * channel is standardized once, however many batch norms read it, and its gradient pays for mean and variance once:
 * dx = s·(G − mean of G − x̂·mean of G·x̂), of the sum G of what came from all readers, with s = 1/sqrt(variance + ε).
 *
 * @throws Error when x does not have a batch and a channel axis.
 */
export function standardize<D extends DType>(x: Tensor<D>, epsilon: number): Tensor<D> {
  checkChannels("standardize", x);
  const ofX = known.get(x) ?? new Map<number, Tensor>();
  known.set(x, ofX);
  const made = ofX.get(epsilon) ?? make(x, epsilon);
  ofX.set(epsilon, made);
  return made as Tensor<D>;
}

function make<D extends DType>(x: Tensor<D>, epsilon: number): Tensor {
  const joined = x.node?.op.pattern;
  if (joined?.kind === "concat") return concat(joined.parts.map((part) => standardize(part, epsilon)));
  const { mean, variance } = channelMoments(x);
  const pattern: StandardizePattern = { kind: "standardize", x, mean, variance, epsilon };
  return x.graph.apply(
    {
      name: "standardize",
      family: "normalization",
      outputs: [x],
      pattern,
      rewriting: productsAndNorms,
      // The gradient by x accounts for what x does to its own moments.
      constants: [mean, variance],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = standardizeForward(l.target, range.count * rowsPerItem(x), mean.shape[0], epsilon);
          l.dispatch(kernel, { x: batchSlice(x, range), mean, variance, y: batchSlice(y, range) });
        }
      },
      gradient: ([dy], [y]) => [() => standardizeGradient(pattern, y, dy!), null, null],
    },
    [x, mean, variance],
  ).outputs[0];
}

function standardizeGradient(of: StandardizePattern, normalized: Tensor, gradient: Tensor): Tensor {
  const { x, variance, epsilon } = of;
  return x.graph.apply(
    {
      name: "standardize_gradient",
      family: "normalization",
      outputs: [x],
      pattern: { kind: "standardizeGradient", of },
      rewriting: productsAndNorms,
      lower(l, [dx]) {
        const { parts, partialCount, channels } = reductionParts(l, [gradient, normalized]);
        const partials = [0, 1].map(() => l.scratch(4 * partialCount * channels));
        for (const { range, walk, firstPartial } of parts) {
          l.dispatch(standardizeSums(walk, firstPartial), {
            gradient: batchSlice(gradient, range),
            normalized: batchSlice(normalized, range),
            sums: partials[0],
            products: partials[1],
          });
        }
        const [sums, products] = [0, 1].map(() => l.scratch(4 * channels));
        l.sum(
          [sums, products].map((result, i) => ({
            partials: partials[i],
            partialCount,
            count: channels,
            result,
          })),
        );
        const batchRows = sizeOf(x.shape.slice(0, -1));
        for (const range of l.slices([gradient, normalized, dx])) {
          const rows = range.count * rowsPerItem(x);
          l.dispatch(standardizeBackward(l.target, rows, channels, { epsilon, batchRows }), {
            gradient: batchSlice(gradient, range),
            normalized: batchSlice(normalized, range),
            variance,
            sums,
            products,
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [gradient, normalized, variance],
  ).outputs[0];
}
