import { sumPartials } from "../../kernels/conv2d/backward-weights.ts";
import { gatherForward, gatherParts, linkPlaces, noPlaces, sumPlaces } from "../../kernels/gather.ts";
import type { GatherParts, GatherShape } from "../../kernels/gather.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Operand } from "../op.ts";
import { bytesOf, shapeText, sizeOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { axisOf } from "./axes.ts";
import { reshape } from "./reshape.ts";

/** Options of {@link gather}. */
export interface GatherOptions {
  /** The axis of `x` that `indices` count along, negative ones from the last; the first by default. */
  readonly axis?: number;
}

/**
 * Parts of `x` by their numbers along an axis (`tf.gather`, `keras.ops.take`): `x` `[.., n, ..]` of any type and `indices` u32 of any shape to `[..,
 * ...indices.shape, ..]`. An index that is not below n reads nothing: its part is 0, as TensorFlow's is on a GPU, and it has no part in the
 * gradient. That adds up what came of equal indices, in the order in which they stand, so equal numbers give equal sums.
 *
 * @throws Error when `indices` is not u32, or x has no such axis.
 */
export function gather<D extends DType>(
  x: Tensor<D>,
  indices: Tensor,
  { axis = 0 }: GatherOptions = {},
): Tensor<D> {
  const at = axisOf("gather", x, axis);
  checkIndices("gather", indices);
  const [before, after] = [x.shape.slice(0, at), x.shape.slice(at + 1)];
  const shape = {
    outer: sizeOf(before),
    rows: x.shape[at],
    inner: sizeOf(after),
    count: sizeOf(indices.shape),
  };
  const rows = gatherRows(reshape(x, rowsShape(shape, shape.rows)), reshape(indices, [shape.count]), shape);
  return reshape(rows, [...before, ...indices.shape, ...after]);
}

/**
 * Vectors of a table by their numbers (Keras `Embedding`, `tf.nn.embedding_lookup`): `table` `[V, D]` and `indices` u32 `[..]` to `[.., D]`. An
 * index that is not below V gives zeros; see {@link gather}. The gradient by the table is dense, `[V, D]`.
 *
 * @throws Error when the table is no matrix of floats, or `indices` is not u32.
 */
export function embedding<D extends DType>(table: Tensor<D>, indices: Tensor): Tensor<D> {
  if (table.shape.length !== 2 || table.dtype === "u32") {
    throw new Error(
      `embedding takes a table of floats [V, D]; "${table.name}" is ${table.dtype} ${shapeText(table.shape)}.`,
    );
  }
  checkIndices("embedding", indices);
  return gather(table, indices);
}

/** @throws Error when `indices` is not u32. */
export function checkIndices(op: string, { name, dtype, shape }: Tensor): void {
  if (dtype !== "u32")
    throw new Error(
      `${op} takes indices of u32; "${name}" is ${dtype} ${shapeText(shape)}: feed it as u32 (graph.input(name, shape, "u32")).`,
    );
}

/** `[rows, inner]`, or of several `[outer, rows, inner]`: the first axis is one that work can be cut along. */
const rowsShape = ({ outer, inner }: GatherShape, rows: number): Shape =>
  outer === 1 ? [rows, inner] : [outer, rows, inner];

function gatherRows<D extends DType>(x: Tensor<D>, indices: Tensor, shape: GatherShape): Tensor<D> {
  return x.graph.apply(
    {
      name: "gather",
      family: "copy",
      outputs: [{ shape: rowsShape(shape, shape.count), dtype: x.dtype }],
      constants: x.dtype === "u32" ? [x, indices] : [indices],
      lower(l, [y]) {
        const uint = x.dtype === "u32";
        if (shape.outer > 1) {
          for (const range of l.slices([x, y])) {
            const kernel = gatherForward(l.target, { ...shape, outer: range.count }, { uint });
            l.dispatch(kernel, { x: batchSlice(x, range), indices, y: batchSlice(y, range) });
          }
          return;
        }
        for (const places of rangesOf(l, y)) {
          rangesOf(l, x).forEach((rows, i) => {
            const part = { ...shape, rows: rows.count, count: places.count };
            const { first } = rows;
            const kernel = gatherForward(l.target, part, { first, begin: places.first, keeps: i > 0, uint });
            l.dispatch(kernel, { x: batchSlice(x, rows), indices, y: batchSlice(y, places) });
          });
        }
      },
      gradient: ([dy]) => [() => scatterRows(dy!, indices, shape, x.dtype), null],
    },
    [x, indices],
  ).outputs[0];
}

/** The gradient of {@link gatherRows} by x: each row the sum of those of `dy` that were made of it. */
function scatterRows(dy: Tensor, indices: Tensor, shape: GatherShape, dtype: DType): Tensor {
  return dy.graph.apply(
    {
      name: "gather_gradient",
      family: "copy",
      outputs: [{ shape: rowsShape(shape, shape.rows), dtype }],
      constants: [indices],
      lower(l, [dx]) {
        if (shape.outer > 1) {
          const lists = listPlaces(l, indices, shape, { first: 0, count: shape.count });
          for (const range of l.slices([dx, dy])) {
            const part = { shape: { ...shape, outer: range.count }, first: 0, allRows: shape.rows };
            sumRows(l, lists, part, batchSlice(dy, range), batchSlice(dx, range), false);
          }
          return;
        }
        rangesOf(l, dy).forEach((places, i) => {
          const lists = listPlaces(l, indices, shape, places);
          for (const rows of rangesOf(l, dx)) {
            const part = {
              shape: { ...shape, rows: rows.count, count: places.count },
              first: rows.first,
              allRows: shape.rows,
            };
            sumRows(l, lists, part, batchSlice(dy, places), batchSlice(dx, rows), i > 0);
          }
        });
      },
      gradient: ([ddx]) => [() => gatherRows(ddx!, indices, shape), null],
    },
    [dy, indices],
  ).outputs[0];
}

interface Lists {
  readonly parts: GatherParts;
  readonly heads: Operand;
  readonly next: Operand;
}

/** Lists of the places of each row, of those in a range. */
function listPlaces(l: Lowering, indices: Tensor, shape: GatherShape, { first, count }: BatchRange): Lists {
  const parts = gatherParts(l.target, { ...shape, count });
  const length = parts.parts * shape.rows;
  const [heads, next] = [l.scratch(4 * length, "u32"), l.scratch(4 * count, "u32")];
  l.dispatch(noPlaces(l.target, length), { heads });
  const link = linkPlaces(l.target, { rows: shape.rows, count, begin: first }, parts);
  l.dispatch(link, { indices, heads, next });
  return { parts, heads, next };
}

/** Adds `dy` up along the lists of some of the rows to `dx`, or with `accumulate` to what it holds. */
function sumRows(
  l: Lowering,
  { parts, heads, next }: Lists,
  { shape, first, allRows }: { shape: GatherShape; first: number; allRows: number },
  dy: Operand,
  dx: Operand,
  accumulate: boolean,
): void {
  const { outer, rows, inner } = shape;
  const count = outer * rows * inner;
  const whole = parts.parts === 1 && !accumulate;
  const sums = whole ? dx : l.scratch(4 * parts.parts * count);
  l.dispatch(sumPlaces(l.target, shape, parts, { first, allRows }), { dy, heads, next, sums });
  if (!whole)
    l.dispatch(sumPartials(l.target, count, parts.parts, { accumulate }), { partials: sums, dw: dx });
}

/** The whole of a tensor, or the parts along its first axis that can be bound. */
const rangesOf = (l: Lowering, tensor: Tensor): BatchRange[] =>
  bytesOf(tensor) <= l.target.maxBindingBytes ? [{ first: 0, count: tensor.shape[0] }] : l.slices([tensor]);
