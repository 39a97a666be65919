import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Index of each row's largest value, of equal ones the lowest: `x` `[rows, classes]` to `y` `[rows]` (u32). */
export function argmaxForward(target: KernelTarget, rows: number, classes: number): Kernel {
  return perItemKernel(target, rows, {
    label: "argmax",
    read: { x: "array<f32>" },
    write: { y: "array<u32>" },
    params: { classes: u32(classes) },
    body: /* wgsl */ `
  let begin = index * params.classes;
  var largest = load_x(begin);
  var found = 0u;
  for (var i = 1u; i < params.classes; i++) {
    let value = load_x(begin + i);
    found = select(found, i, value > largest);
    largest = max(largest, value);
  }
  store_y(index, found);`,
  });
}
