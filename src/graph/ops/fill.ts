import { fillForward } from "../../kernels/fill.ts";
import type { Graph, Tensor } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";

/** A tensor of one value everywhere (`tf.fill`). */
export function fill(graph: Graph, shape: Shape, value: number): Tensor {
  return graph.apply(
    {
      name: "fill",
      family: "copy",
      outputs: [{ shape, dtype: "f32" }],
      constant: value,
      lower: (l, [y]) => lowerElementwise(l, (target, count) => fillForward(target, count, value), { y }),
    },
    [],
  ).outputs[0];
}
