import { defineKernel, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** `y = a + b`, elementwise; all `[count]` f32. */
export function addForward(target: KernelTarget, count: number): Kernel {
  return defineKernel({
    label: "add",
    read: { a: "array<f32>", b: "array<f32>" },
    write: { y: "array<f32>" },
    params: { count: u32(count) },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  y[index] = a[index] + b[index];
}`,
  });
}
