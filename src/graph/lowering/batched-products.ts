/** @file Products of many matrices at once, as nodes: one dispatch has a layer for each of them. */
import { conv2dBackwardDataFused } from "../../kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../kernels/conv2d/backward-weights.ts";
import { conv2dForwardFused } from "../../kernels/conv2d/forward.ts";
import type { MatrixLayers } from "../../kernels/conv2d/matrix-layers.ts";
import { mergeAxes, walkText } from "../../kernels/text/value.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Op, Operand } from "../op.ts";
import { reshape } from "../ops/reshape.ts";
import { BYTES, sizeOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { pointwise } from "./matrix-product.ts";
import type { ProductExtents, Transposed } from "./matrix-product.ts";

/** The layers of a dispatch, with the operands' parts that it binds; f16 where the images are. */
type LowerLayers = (l: Lowering, layers: MatrixLayers, half: boolean, operands: Operands) => void;
type Operands = Readonly<Record<"a" | "b" | "y", Operand>>;

/**
 * `y` `[..batch, rows, columns]`, stored as `a` is, whose matrices are those of `a` times those of `b`. Batches broadcast to `batch`: a factor that
 * lacks some of it is read again, not repeated.
 */
export function applyBatched<D extends DType>(
  a: Tensor<D>,
  b: Tensor,
  batch: Shape,
  extents: ProductExtents,
  transposed: Transposed,
  gradient: NonNullable<Op["gradient"]>,
): Tensor<D> {
  const { rows, columns } = extents;
  const count = sizeOf(batch);
  const lowerLayers = LOWER[transposed](extents);
  const [left, right] = [a, b].map((x) => reshape(x, [sizeOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)]));
  const { outputs } = a.graph.apply(
    {
      name: "matmul",
      family: "convolution",
      outputs: [{ shape: [count, rows, columns], dtype: a.dtype }],
      gradient: ([dy], [y]) =>
        gradient([reshape(dy!, [...batch, rows, columns])], [y]).map((thunk, i) => () => {
          const whole = thunk!();
          return reshape(whole, [left, right][i].shape);
        }),
      lower(l, [y]) {
        const own = [left, right].map((x) => x.shape[0] === count);
        const cut = [...[left, right].filter((_, i) => own[i]), y];
        for (const range of rangesOf(l, cut)) {
          const [leftText, rightText] = [a, b].map((x, i) => (own[i] ? "layer" : placeText(x, batch)));
          const layers = { count: range.count, before: range.first, left: leftText, right: rightText };
          const part = (x: Tensor, i: number): Operand => (own[i] ? batchSlice(x, range) : x);
          lowerLayers(l, layers, a.dtype === "f16", {
            a: part(left, 0),
            b: part(right, 1),
            y: batchSlice(y, range),
          });
        }
      },
    },
    [left, right],
  );
  return reshape(outputs[0], [...batch, rows, columns]);
}

/** WGSL of the number of the matrix of `x` that layer `layer` takes, where batches are broadcast. */
function placeText(x: Tensor, batch: Shape): string {
  const lacking = batch.length + 2 - x.shape.length;
  const axes = mergeAxes(batch, (axis) => (x.shape[axis - lacking] ?? 1) > 1);
  return walkText("(layer + params.layersBefore)", axes, ({ marked }) => marked);
}

/** Ranges that can be bound, of no more layers than a dispatch may have; parts begin where a binding may. */
function rangesOf(l: Lowering, tensors: readonly Tensor[]): BatchRange[] {
  const { maxWorkgroupsPerDimension, offsetAlignment } = l.target;
  const multiple = offsetAlignment / Math.min(...tensors.map(({ dtype }) => BYTES[dtype]));
  const most = Math.max(1, Math.floor(maxWorkgroupsPerDimension / multiple)) * multiple;
  return l.slices(tensors).flatMap(({ first, count }) =>
    Array.from({ length: Math.ceil(count / most) }, (_, i) => ({
      first: first + i * most,
      count: Math.min(most, count - i * most),
    })),
  );
}

const LOWER: Readonly<Record<Transposed, (extents: ProductExtents) => LowerLayers>> = {
  none:
    (extents) =>
    (l, layers, half, { a, b, y }) => {
      const { kernel } = conv2dForwardFused(l.target, pointwise(extents), { layers, half });
      l.dispatch(kernel, { x: a, w: b, y });
    },
  b:
    ({ rows, inner, columns }) =>
    (l, layers, half, { a, b, y }) => {
      const geometry = pointwise({ rows, inner: columns, columns: inner });
      const { kernel } = conv2dBackwardDataFused(l.target, geometry, { layers, half });
      l.dispatch(kernel, { dy: a, w: b, dx: y });
    },
  a:
    ({ rows, inner, columns }) =>
    (l, matrices, half, { a, b, y }) => {
      const geometry = pointwise({ rows: inner, inner: rows, columns });
      const { partial, splits, count } = conv2dBackwardWeights(l.target, geometry, { matrices, half });
      const partials = splits === 1 ? y : l.scratch(4 * splits * count);
      l.dispatch(partial, { x: a, dy: b, dw: partials });
      if (splits > 1) l.dispatch(sumPartials(l.target, count, splits), { partials, dw: y });
    },
};
