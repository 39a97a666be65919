import { defineKernel, f32, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** `y = factor · x`, elementwise; `x`, `y`: `[count]` f32. */
export function scaleForward(target: KernelTarget, count: number, factor: number): Kernel {
  return defineKernel({
    label: "scale",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { count: u32(count), factor: f32(factor) },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  y[index] = params.factor * x[index];
}`,
  });
}
