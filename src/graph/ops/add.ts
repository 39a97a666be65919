import type { Tensor } from "../graph.ts";
import { sameShape } from "../shape.ts";
import type { DType } from "../shape.ts";
import { elementwise, floats, isTensor } from "./elementwise.ts";
import type { TensorOrNumber } from "./elementwise.ts";

/**
 * `a + b`, elementwise (`keras.ops.add`). Shapes broadcast by NumPy's rules; one of the two may be a number. The result is stored
 * as the larger of the two is, of equals as the first. Both have a gradient, summed over the axes that were broadcast.
 *
 * @throws Error when shapes do not broadcast, or a tensor is u32.
 */
export function add<D extends DType>(a: TensorOrNumber<D>, b: TensorOrNumber<D>): Tensor<D> {
  floats("add", a, b);
  const ofOneShape = isTensor(a) && isTensor(b) && sameShape(a.shape, b.shape);
  return elementwise<D>(
    "add",
    "a + b",
    { a, b },
    { gradients: { a: "d", b: "d" }, ...(ofOneShape && { pattern: { kind: "sum", terms: [a, b] } }) },
  );
}
