import { gradients } from "../../src/graph/gradients.ts";
import type { Tensor } from "../../src/graph/graph.ts";

/** The gradients of Σ y·dy by `wrt`, in that order. */
export function gradientsBy(y: Tensor, dy: Tensor, wrt: readonly Tensor[]): (readonly [Tensor, Tensor])[] {
  const dot = y.graph.apply(
    {
      name: "dot",
      outputs: [{ shape: [], dtype: "f32" }],
      lower: () => {
        throw new Error("The seed of the gradients is never computed.");
      },
      gradient: () => [() => dy, null],
    },
    [y, dy],
  ).outputs[0];
  const found = gradients(dot, wrt);
  return wrt.map((tensor) => [tensor, found.get(tensor)!] as const);
}
