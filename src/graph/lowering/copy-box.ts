import { copyStrided } from "../../kernels/copy-strided.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Operand } from "../op.ts";
import { bytesOf, sizeOf } from "../shape.ts";
import type { Shape } from "../shape.ts";

/** A box of a tensor's numbers, and the box of another tensor that they go to. */
export interface CopiedBox {
  /** Along the axes of the tensor that is written. */
  readonly extents: Shape;
  /** The axis of the tensor that is read that each of these runs along; the same ones by default. */
  readonly axes?: readonly number[];
  /** Where the box begins, along the axes of the tensor that is read, and of that which is written; at 0 by default. */
  readonly from?: Shape;
  readonly to?: Shape;
}

/** Numbers from one along an axis to the next. */
export const stridesOf = (shape: Shape): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/**
 * Copies a box of `x` to one of `y`, which may be of another rank where axes of the box have extent 1. What is too large for a binding is bound in
 * parts along its first axis, each part of the one with those of the other that it shares numbers with.
 */
export function lowerCopy(l: Lowering, x: Tensor, y: Tensor, box: CopiedBox): void {
  const { extents } = box;
  const axes = box.axes ?? extents.map((_, axis) => axis);
  const from = box.from ?? x.shape.map(() => 0);
  const to = box.to ?? y.shape.map(() => 0);
  const [xStrides, yStrides] = [x, y].map(({ shape }) => stridesOf(shape));
  for (const [xRange, yRange] of pairs(rangesOf(l, x), rangesOf(l, y))) {
    // Of the box, what lies in both parts.
    const firsts = extents.map((_, axis) =>
      Math.max(
        0,
        axes[axis] === 0 && xRange ? xRange.first - from[0] : 0,
        axis === 0 && yRange ? yRange.first - to[0] : 0,
      ),
    );
    const counts = extents.map(
      (extent, axis) =>
        Math.min(
          extent,
          axes[axis] === 0 && xRange ? xRange.first + xRange.count - from[0] : extent,
          axis === 0 && yRange ? yRange.first + yRange.count - to[0] : extent,
        ) - firsts[axis],
    );
    if (counts.some((count) => count <= 0)) continue;
    const begin = (
      own: Shape,
      strides: readonly number[],
      range: BatchRange | null,
      of: (axis: number) => number,
    ) =>
      own.reduce((sum, at, axis) => sum + at * strides[axis], 0) +
      firsts.reduce((sum, first, axis) => sum + first * strides[of(axis)], 0) -
      (range ? range.first * strides[0] : 0);
    const kernel = copyStrided(
      l.target,
      {
        axes: counts.map((extent, axis) => ({ extent, from: xStrides[axes[axis]], to: yStrides[axis] })),
        from: begin(from, xStrides, xRange, (axis) => axes[axis]),
        to: begin(to, yStrides, yRange, (axis) => axis),
      },
      x.dtype === "u32",
    );
    l.dispatch(kernel, { x: partOf(x, xRange), y: partOf(y, yRange) });
  }
}

type Part = BatchRange | null;

const rangesOf = (l: Lowering, tensor: Tensor): Part[] =>
  bytesOf(tensor) <= l.target.maxBindingBytes ? [null] : l.slices([tensor]);

const pairs = (a: readonly Part[], b: readonly Part[]): (readonly [Part, Part])[] =>
  a.flatMap((one) => b.map((other) => [one, other] as const));

const partOf = (tensor: Tensor, range: Part): Operand => (range ? batchSlice(tensor, range) : tensor);
