import { gradients } from "../../src/graph/gradients.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { dot } from "../../test/helpers/op.ts";

/** The gradients of Σ y·dy by `wrt`, in that order. */
export function gradientsBy(y: Tensor, dy: Tensor, wrt: readonly Tensor[]): (readonly [Tensor, Tensor])[] {
  const found = gradients(dot(y, dy), wrt);
  return wrt.map((tensor) => [tensor, found.get(tensor)!] as const);
}
