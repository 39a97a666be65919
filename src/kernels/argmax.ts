import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Which of `extent` numbers, `inner` apart, for each of `outer` × `inner` of them. */
export interface ArgmaxShape {
  readonly outer: number;
  readonly extent: number;
  readonly inner: number;
}

/**
 * Index of the largest value along an axis, of equal ones the lowest: `x` `[outer, extent, inner]` to `y` `[outer, inner]` (u32).
 *
 * With `first`, `x` is a part of what is looked at, from index `first` on. Parts come one after the other; `best` has the largest value of those
 * before, and then of this one too.
 */
export function argmaxForward(
  target: KernelTarget,
  { outer, extent, inner }: ArgmaxShape,
  first?: number,
): Kernel {
  const isPart = first !== undefined;
  // A quotient costs a CPU more than all else.
  const [begin, step] =
    inner === 1
      ? ["index * params.extent", "i"]
      : ["index / params.inner * params.extent * params.inner + index % params.inner", "i * params.inner"];
  return perItemKernel(target, outer * inner, {
    label: "argmax",
    read: { x: "array<f32>" },
    write: { y: "array<u32>", ...(isPart && { best: "array<f32>" }) },
    params: {
      extent: u32(extent),
      ...(inner > 1 && { inner: u32(inner) }),
      ...(isPart && { first: u32(first) }),
    },
    body: /* wgsl */ `
  let begin = ${begin};
  var largest = load_x(begin);
  var found = 0u;
  for (var i = 1u; i < params.extent; i++) {
    let value = load_x(begin + ${step});
    found = select(found, i, value > largest);
    largest = max(largest, value);
  }
  ${
    isPart
      ? `if (params.first == 0u || largest > load_best(index)) {
    store_y(index, params.first + found);
    store_best(index, largest);
  }`
      : "store_y(index, found);"
  }`,
  });
}
