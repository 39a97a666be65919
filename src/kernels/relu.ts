import { defineKernel, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** `y = max(x, 0)`, elementwise; `x`, `y`: `[count]` f32. */
export function reluForward(target: KernelTarget, count: number): Kernel {
  return defineKernel({
    label: "relu_forward",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { count: u32(count) },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  y[index] = max(x[index], 0.0);
}`,
  });
}

/** `dx = dy` where `y > 0`, else 0; all `[count]` f32. Reads the output, so the input need not be kept. */
export function reluBackward(target: KernelTarget, count: number): Kernel {
  return defineKernel({
    label: "relu_backward",
    read: { y: "array<f32>", dy: "array<f32>" },
    write: { dx: "array<f32>" },
    params: { count: u32(count) },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  dx[index] = select(0.0, dy[index], y[index] > 0.0);
}`,
  });
}
