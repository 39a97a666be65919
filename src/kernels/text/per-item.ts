import { defineKernel, linearGrid, linearIndex, u32 } from "../kernel.ts";
import type { Kernel, KernelDefinition, KernelTarget } from "../kernel.ts";

const SIZE = 64;

/**
 * A kernel with one invocation an item, for what treats `count` items alike and apart: `body` is the statements for item
 * `index`; the uniform block also holds `count`. `functions`: WGSL that they call.
 *
 * @throws Error when a parameter is a fraction and its type is an integer's.
 */
export function perItemKernel(
  target: KernelTarget,
  count: number,
  { functions = "", ...definition }: Omit<KernelDefinition, "workgroups"> & { functions?: string },
): Kernel {
  return defineKernel({
    ...definition,
    params: { count: u32(count), ...definition.params },
    workgroups: linearGrid(target, count, SIZE),
    body: /* wgsl */ `${functions}
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  ${definition.body}
}`,
  });
}
