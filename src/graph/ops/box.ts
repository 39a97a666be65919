/** @file Cutting a box out of a tensor, and the opposite: each is the other's gradient. */
import { fillForward } from "../../kernels/fill.ts";
import { padForward } from "../../kernels/pad.ts";
import type { Tensor } from "../graph.ts";
import { lowerCopy } from "../lowering/copy-box.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";
import { bytesOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";

/** How many numbers are added before an axis and behind it. */
export type AxisPadding = readonly [before: number, after: number];

/** Of `x`, which has them, `extents` from `from` on. */
export function cutBox<D extends DType>(x: Tensor<D>, from: Shape, extents: Shape): Tensor<D> {
  const paddings = x.shape.map((extent, axis): AxisPadding => {
    return [from[axis], extent - from[axis] - extents[axis]];
  });
  return x.graph.apply(
    {
      name: "slice",
      family: "copy",
      outputs: [{ shape: extents, dtype: x.dtype }],
      lower: (l, [y]) => lowerCopy(l, x, y, { extents, from }),
      gradient: ([dy]) => [() => padBox(dy!, paddings, 0)],
    },
    [x],
  ).outputs[0];
}

/** `x` with numbers `value` around it. */
export function padBox<D extends DType>(
  x: Tensor<D>,
  paddings: readonly AxisPadding[],
  value: number,
): Tensor<D> {
  const { shape, dtype } = x;
  const axes = shape.map((extent, axis) => {
    const [before, after] = paddings[axis];
    return { extent, before, after };
  });
  const to = axes.map(({ before }) => before);
  return x.graph.apply(
    {
      name: "pad",
      family: "copy",
      outputs: [{ shape: axes.map(({ extent, before, after }) => before + extent + after), dtype }],
      lower(l, [y]) {
        const uint = dtype === "u32";
        if (Math.max(bytesOf(x), bytesOf(y)) <= l.target.maxBindingBytes) {
          l.dispatch(padForward(l.target, axes, value, uint), { x, y });
          return;
        }
        lowerElementwise(l, (target, count) => fillForward(target, count, value, 0, uint), { y });
        lowerCopy(l, x, y, { extents: shape, to });
      },
      gradient: ([dy]) => [() => cutBox(dy!, to, shape)],
    },
    [x],
  ).outputs[0];
}
