import { defineKernel, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** Index of each row's largest value, of equal ones the lowest: `x` `[rows, classes]` to `y` `[rows]` (u32). */
export function argmaxForward(target: KernelTarget, rows: number, classes: number): Kernel {
  return defineKernel({
    label: "argmax",
    read: { x: "array<f32>" },
    write: { y: "array<u32>" },
    params: { count: u32(rows), classes: u32(classes) },
    workgroups: linearGrid(target, rows, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  let begin = index * params.classes;
  var largest = x[begin];
  var found = 0u;
  for (var i = 1u; i < params.classes; i++) {
    let value = x[begin + i];
    found = select(found, i, value > largest);
    largest = max(largest, value);
  }
  y[index] = found;
}`,
  });
}
