import { defineKernel, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** `y = 1` where `a == b`, else 0; `a`, `b`: `[count]` u32, `y`: `[count]` f32. */
export function equalForward(target: KernelTarget, count: number): Kernel {
  return defineKernel({
    label: "equal",
    read: { a: "array<u32>", b: "array<u32>" },
    write: { y: "array<f32>" },
    params: { count: u32(count) },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  y[index] = select(0.0, 1.0, a[index] == b[index]);
}`,
  });
}
