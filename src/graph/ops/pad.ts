import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { padBox } from "./box.ts";
import type { AxisPadding } from "./box.ts";

export type { AxisPadding };

/**
 * `x`, of any shape and type, with numbers `value` around it (`tf.pad`, `numpy.pad` by a constant): `paddings` has for each axis how many come
 * before it and behind it. x itself where none do.
 *
 * @throws Error when there is not a pair of whole numbers from 0 for each axis, or x is u32 and `value` is none.
 */
export function pad<D extends DType>(x: Tensor<D>, paddings: readonly AxisPadding[], value = 0): Tensor<D> {
  const { shape, name, dtype } = x;
  const isWhole = (each: number): boolean => Number.isInteger(each) && each >= 0;
  if (
    paddings.length !== shape.length ||
    !paddings.every((pair) => pair.length === 2 && pair.every(isWhole))
  ) {
    throw new Error(
      `pad: "${name}" ${shapeText(shape)} takes ${shape.length} pairs of whole numbers from 0, how many come before an axis and ` +
        `behind it, not [${paddings.map(shapeText).join(", ")}].`,
    );
  }
  if (dtype === "u32" && !(isWhole(value) && value < 2 ** 32))
    throw new Error(`pad: "${name}" is u32 and cannot be padded with ${value}.`);
  if (paddings.every(([before, after]) => before + after === 0)) return x;
  return padBox(x, paddings, value);
}
