import { scaleForward } from "../../kernels/scale.ts";
import type { Tensor } from "../graph.ts";
import { lowerElementwise } from "./elementwise.ts";

/** `factor · x` with a constant factor, elementwise, any shape. */
export function scale(x: Tensor, factor: number): Tensor {
  return x.graph.apply(
    {
      name: "scale",
      outputs: [x],
      lower: (l, [y]) =>
        lowerElementwise(l, (target, count) => scaleForward(target, count, factor), { x, y }),
      gradient: ([dy]) => [() => scale(dy!, factor)],
    },
    [x],
  ).outputs[0];
}
