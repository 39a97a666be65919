import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Values that one invocation adds at first, and how many such sums it then adds: short chains, small error. */
const BLOCK = 8;
const BLOCKS = 8;

/** Partial sums that {@link sumRows} leaves of a row of `length` values. */
export const partialSums = (length: number): number => Math.ceil(length / (BLOCK * BLOCKS));

/**
 * WGSL that leaves in `total` partial sum `first` of `partials` over `length` values; `value` is the text of value `i`.
 */
export function partialSumText(text: { partials: string; length: string; value: string }): string {
  const { partials, length, value } = text;
  return /* wgsl */ `var total = 0.0;
  for (var block = first; block < ${length}; block += ${BLOCK}u * ${partials}) {
    let end = min(block + ${BLOCK}u * ${partials}, ${length});
    var part = 0.0;
    for (var i = block; i < end; i += ${partials}) { part += ${value}; }
    total += part;
  }`;
}

/**
 * Sums 64 values into one along each row: `x` `[rows, length]` to `y` `[rows, partialSums(length)]`, times `scale`. `y`
 * is written from element `begin` on. Run again on its own output until one sum a row is left; the order of the
 * additions depends on `length` alone, so equal numbers give equal sums.
 *
 * With `divided`, which takes rows of one sum each, `y` is also divided by the value of `counts` at its place, or by 1 where
 * that is 0.
 */
export function sumRows(
  target: KernelTarget,
  rows: number,
  length: number,
  { scale = 1, begin = 0, divided = false }: { scale?: number; begin?: number; divided?: boolean } = {},
): Kernel {
  const partials = partialSums(length);
  return perItemKernel(target, rows * partials, {
    label: "sum_rows",
    read: { x: "array<f32>", ...(divided && { counts: "array<f32>" }) },
    write: { y: "array<f32>" },
    params: {
      partials: u32(partials),
      extent: u32(length),
      begin: u32(begin),
      scale: f32(scale),
    },
    body: /* wgsl */ `
  let row = index / params.partials;
  let first = index - row * params.partials;
  let xRow = row * params.extent;
  ${partialSumText({ partials: "params.partials", length: "params.extent", value: "load_x(xRow + i)" })}
  store_y(params.begin + index, total * params.scale${divided ? " / max(load_counts(params.begin + index), 1.0)" : ""});`,
  });
}
