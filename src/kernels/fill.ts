import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `count` numbers of `y`, f32 or u32, from number `begin` on become `value`. */
export function fillForward(
  target: KernelTarget,
  count: number,
  value: number,
  begin = 0,
  uint = false,
): Kernel {
  return perItemKernel(target, count, {
    label: "fill",
    read: {},
    write: { y: uint ? "array<u32>" : "array<f32>" },
    params: { value: uint ? u32(value) : f32(value), begin: u32(begin) },
    body: "store_y(params.begin + index, params.value);",
  });
}

/** A range of a tensor's numbers. */
export interface Gap {
  readonly begin: number;
  readonly count: number;
}

/** Lanes that fill one gap together. */
const LANES = 64;

/** The numbers of `y`, f32, that lie in `gaps` become 0. */
export function fillGaps(target: KernelTarget, gaps: readonly Gap[]): Kernel {
  const table = (name: keyof Gap): string =>
    `const ${name}s = array<u32, ${gaps.length}>(${gaps.map((gap) => `${gap[name]}u`).join(", ")});`;
  return perItemKernel(target, gaps.length * LANES, {
    label: "fill_gaps",
    read: {},
    write: { y: "array<f32>" },
    functions: `${table("begin")}\n${table("count")}\n`,
    body: `let gap = index / ${LANES}u;
  let end = begins[gap] + counts[gap];
  for (var i = begins[gap] + index % ${LANES}u; i < end; i += ${LANES}u) { store_y(i, 0.0); }`,
  });
}
