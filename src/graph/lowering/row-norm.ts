/**
 * @file Norms whose statistics are those of one sample, layer norm and group norm: a kernel forward, one for the gradient by x and one for the
 * sums that are the gradients of γ and β.
 */
import type { Kernel } from "../../kernels/kernel.ts";
import { normParameterGradients } from "../../kernels/norm-parameters.ts";
import type { StatisticsOf } from "../../kernels/norm-parameters.ts";
import type { NormVectors } from "../../kernels/layer-normalization.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Op, Operand } from "../op.ts";
import { checkChannels, reductionParts } from "../ops/channel-reduction.ts";
import { bytesOf, shapeText } from "../shape.ts";

/** What follows a normalization by rows, and its ε. */
export interface RowNormOptions {
  /** `[C]`, what the normalized channels are multiplied by; nothing by default. */
  readonly gamma?: Tensor | undefined;
  /** `[C]`, what is then added to them; nothing by default. */
  readonly beta?: Tensor | undefined;
  /** Added to the variance; 1e-3, as in Keras, by default. */
  readonly epsilon?: number | undefined;
}

/** A norm of this kind: its name, what shares statistics, and its kernels for `count` items of the batch. */
export interface RowNorm {
  readonly name: string;
  readonly statisticsOf: StatisticsOf;
  /** Statistics of an item of the batch. */
  readonly perItem: number;
  forward(
    l: Lowering,
    count: number,
    options: NormVectors & { readonly epsilon: number; readonly keeps: boolean; readonly firstRow: number },
  ): Kernel;
  inputGradient(
    l: Lowering,
    count: number,
    options: { readonly gamma: boolean; readonly firstRow: number },
  ): Kernel;
}

/** @throws Error when x holds no floats or has no batch, γ or β do not fit it, or ε is negative. */
export function applyRowNorm<X extends Tensor>(
  op: string,
  x: X,
  norm: RowNorm,
  { gamma, beta, epsilon = 1e-3 }: RowNormOptions,
): X {
  if (x.dtype === "u32")
    throw new Error(`${op} takes floats; "${x.name}" is u32 ${shapeText(x.shape)}: cast it to f32 first.`);
  const vectors = [gamma, beta].filter((each) => each !== undefined);
  checkChannels(op, x, vectors);
  if (!(epsilon >= 0 && Number.isFinite(epsilon)))
    throw new Error(`${op}: epsilon must be a number from 0 up, not ${epsilon}.`);
  const has: NormVectors = { gamma: gamma !== undefined, beta: beta !== undefined };
  const node = x.graph.apply(
    {
      name: norm.name,
      family: "normalization",
      outputs: [x, { shape: [x.shape[0], norm.perItem, 2], dtype: "f32" }],
      lower(l, [y, statistics]) {
        const keeps = l.uses(statistics);
        for (const { range, firstRow, bound } of parts(l, norm, [x, y], keeps ? statistics : null)) {
          l.dispatch(norm.forward(l, range.count, { ...has, epsilon, keeps, firstRow }), {
            x: batchSlice(x, range),
            ...(gamma && { gamma }),
            ...(beta && { beta }),
            y: batchSlice(y, range),
            ...(bound && { statistics: bound }),
          });
        }
      },
      gradient: ([dy], [, statistics]) => gradientsOf(norm, { x, gamma, beta, statistics }, dy),
    },
    [x, ...vectors],
  );
  return node.outputs[0] as X;
}

interface Normed {
  readonly x: Tensor;
  readonly gamma: Tensor | undefined;
  readonly beta: Tensor | undefined;
  readonly statistics: Tensor;
}

function gradientsOf(
  norm: RowNorm,
  normed: Normed,
  dy: Tensor | null,
): ReturnType<NonNullable<Op["gradient"]>> {
  const { x, gamma, beta, statistics } = normed;
  let made: { dgamma: Tensor; dbeta: Tensor } | undefined;
  const parameters = (): { dgamma: Tensor; dbeta: Tensor } =>
    (made ??= parameterGradients(norm, x, dy!, statistics));
  return [
    () => inputGradient(norm, normed, dy!),
    ...(gamma ? [() => parameters().dgamma] : []),
    ...(beta ? [() => parameters().dbeta] : []),
  ];
}

function inputGradient(norm: RowNorm, { x, gamma, statistics }: Normed, dy: Tensor): Tensor {
  return x.graph.apply(
    {
      name: `${norm.name}_input_gradient`,
      family: "normalization",
      outputs: [x],
      lower(l, [dx]) {
        for (const { range, firstRow, bound } of parts(l, norm, [x, dy, dx], statistics)) {
          l.dispatch(norm.inputGradient(l, range.count, { gamma: gamma !== undefined, firstRow }), {
            x: batchSlice(x, range),
            dy: batchSlice(dy, range),
            statistics: bound!,
            ...(gamma && { gamma }),
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [x, dy, statistics, ...(gamma ? [gamma] : [])],
  ).outputs[0];
}

function parameterGradients(
  norm: RowNorm,
  x: Tensor,
  dy: Tensor,
  statistics: Tensor,
): { dgamma: Tensor; dbeta: Tensor } {
  const { groups, pixels } = norm.statisticsOf;
  const vector = { shape: x.shape.slice(-1), dtype: "f32" } as const;
  const node = x.graph.apply(
    {
      name: `${norm.name}_parameter_gradients`,
      family: "normalization",
      outputs: [vector, vector],
      lower(l, results) {
        const whole = fitsWhole(l, statistics);
        const reduced = reductionParts(l, whole ? [x, dy] : [x, dy, statistics]);
        const { partialCount, channels } = reduced;
        const partials = results.map(() => l.scratch(4 * partialCount * channels));
        for (const { range, walk, firstPartial } of reduced.parts) {
          const firstImage = whole ? (range.first * norm.perItem) / groups : 0;
          l.dispatch(
            normParameterGradients(walk, { ...norm.statisticsOf, pixels }, { firstPartial, firstImage }),
            {
              x: batchSlice(x, range),
              dy: batchSlice(dy, range),
              statistics: whole ? statistics : batchSlice(statistics, range),
              dgamma: partials[0],
              dbeta: partials[1],
            },
          );
        }
        l.sum(results.map((result, i) => ({ partials: partials[i], partialCount, count: channels, result })));
      },
    },
    [x, dy, statistics],
  );
  return { dgamma: node.outputs[0], dbeta: node.outputs[1] };
}

/** Statistics are few and bound whole, where that may be: a part of them need not begin where a binding may. */
const fitsWhole = (l: Lowering, statistics: Tensor): boolean =>
  bytesOf(statistics) <= l.target.maxBindingBytes;

/** The parts in which `tensors` are worked on, each with what the statistics are bound to and its first row of them. */
function parts(
  l: Lowering,
  { perItem }: RowNorm,
  tensors: readonly Tensor[],
  statistics: Tensor | null,
): { range: BatchRange; firstRow: number; bound: Operand | null }[] {
  if (!statistics) return l.slices(tensors).map((range) => ({ range, firstRow: 0, bound: null }));
  const whole = fitsWhole(l, statistics);
  return l.slices(whole ? tensors : [...tensors, statistics]).map((range) => ({
    range,
    firstRow: whole ? range.first * perItem : 0,
    bound: whole ? statistics : batchSlice(statistics, range),
  }));
}
