import { reluBackward, reluForward } from "../../kernels/relu.ts";
import type { Tensor } from "../graph.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";

/** `max(x, 0)`, elementwise, any shape (`tf.nn.relu`). */
export function relu(x: Tensor): Tensor {
  return x.graph.apply(
    {
      name: "relu",
      family: "elementwise",
      outputs: [x],
      lower: (l, [y]) => lowerElementwise(l, reluForward, { x, y }),
      gradient: ([dy], [y]) => [() => reluGradient(y, dy!)],
    },
    [x],
  ).outputs[0];
}

function reluGradient(y: Tensor, dy: Tensor): Tensor {
  return y.graph.apply(
    {
      name: "relu_gradient",
      family: "elementwise",
      outputs: [y],
      lower: (l, [dx]) => lowerElementwise(l, reluBackward, { y, dy, dx }),
    },
    [y, dy],
  ).outputs[0];
}
