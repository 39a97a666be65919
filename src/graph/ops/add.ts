import { addForward } from "../../kernels/add.ts";
import type { Tensor } from "../graph.ts";
import { sameShape, shapeText } from "../shape.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";
import type { DType } from "../shape.ts";

/** `a + b`, elementwise, of one shape. */
export function add<D extends DType>(a: Tensor<D>, b: Tensor<D>): Tensor<D> {
  if (!sameShape(a.shape, b.shape)) {
    throw new Error(
      `add: "${a.name}" ${shapeText(a.shape)} and "${b.name}" ${shapeText(b.shape)} differ in shape.`,
    );
  }
  return a.graph.apply(
    {
      name: "add",
      family: "elementwise",
      outputs: [a],
      pattern: { kind: "sum", terms: [a, b] },
      lower: (l, [y]) => lowerElementwise(l, addForward, { a, b, y }),
      gradient: ([dy]) => [() => dy!, () => dy!],
    },
    [a, b],
  ).outputs[0];
}
