import { defineKernel, f32, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** `y = value`; `y`: `[count]` f32. */
export function fillForward(target: KernelTarget, count: number, value: number): Kernel {
  return defineKernel({
    label: "fill",
    read: {},
    write: { y: "array<f32>" },
    params: { count: u32(count), value: f32(value) },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index < params.count) { y[index] = params.value; }
}`,
  });
}
