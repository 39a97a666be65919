import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { elementwise, floats, sumTo } from "./elementwise.ts";

/**
 * `factor · x`, elementwise, any shape, stored as x is. The factor is a number, or a tensor of one f32, `[]`, that is known only when
 * the program runs and has a gradient as x has.
 *
 * @throws Error when the factor is a tensor that is no f32 scalar, or x is u32.
 */
export function scale<D extends DType>(x: Tensor<D>, factor: number | Tensor): Tensor<D> {
  floats("scale", x);
  const { shape, dtype } = x;
  if (typeof factor !== "number" && (factor.dtype !== "f32" || factor.shape.length !== 0)) {
    throw new Error(
      `scale: the factor must be an f32 scalar; "${factor.name}" is ${factor.dtype} ${shapeText(factor.shape)}.`,
    );
  }
  return elementwise(
    "scale",
    "a * b",
    { a: x, b: factor },
    {
      ...{ shape, dtype },
      // Of a loss that is scaled dy is 1: the factor itself.
      gradient: ([dy]) => [
        () =>
          typeof factor !== "number" && dy!.node?.op.constant === 1 && shape.length === 0
            ? factor
            : scale(dy!, factor),
        () => sumTo(elementwise("scale_gradient", "a * b", { a: x, b: dy! }, { dtype: "f32" }), []),
      ],
    },
  );
}
