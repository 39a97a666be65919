import type { Kernel, KernelTarget } from "../../kernels/kernel.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Lowering } from "../op.ts";
import { sizeOf } from "../shape.ts";

/**
 * Runs an elementwise kernel over tensors of one shape, cut along the batch where they are too large. `kernel` makes one for
 * `count` elements, whose bindings have the names of `operands`.
 *
 * @throws Error when a single item of the batch is too large to be bound.
 */
export function lowerElementwise(
  l: Lowering,
  kernel: (target: KernelTarget, count: number) => Kernel,
  operands: Readonly<Record<string, Tensor>>,
): void {
  const tensors = Object.values(operands);
  const perItem = sizeOf(tensors[0].shape.slice(1));
  for (const range of l.slices(tensors)) {
    const sliced = Object.entries(operands).map(
      ([name, tensor]) => [name, batchSlice(tensor, range)] as const,
    );
    l.dispatch(kernel(l.target, range.count * perItem), Object.fromEntries(sliced));
  }
}
