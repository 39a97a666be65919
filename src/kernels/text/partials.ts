import { defineKernel } from "../kernel.ts";
import type { Kernel, KernelDefinition, KernelTarget } from "../kernel.ts";

/** Invocations of a workgroup on hardware. */
const SIZE = 128;

/**
 * A kernel that merges many partials to one number a channel in a single dispatch: one workgroup a quad of
 * channels, its invocations sharing the partials out among them. On adapters that run on the CPU a workgroup is one
 * subgroup, so that no barrier is needed; without subgroups, one invocation.
 *
 * @param body gets the text of the loop over the invocation's own partials and of the total over the workgroup; `quad` is in
 *   scope, and `writer`, true for the one invocation that writes.
 */
export function partialsKernel(
  target: KernelTarget,
  quads: number,
  definition: Omit<KernelDefinition, "workgroups" | "body" | "enable"> & {
    body: (text: PartialsText) => string;
  },
): Kernel {
  const { family, subgroupSize } = target;
  const subgroup = family === "register" && subgroupSize > 0;
  const size = family === "workgroup" ? SIZE : Math.max(1, subgroupSize);
  const text: PartialsText = {
    eachPartial: (count, body) =>
      `for (var partialIndex = lane; partialIndex < ${count}; partialIndex += ${size}u) {
    ${body}
  }`,
    total(variable) {
      if (family === "workgroup") {
        return `totals[lane] = ${variable};
  workgroupBarrier();
  for (var half = ${SIZE / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { totals[lane] += totals[lane + half]; }
    workgroupBarrier();
  }
  ${variable} = totals[0];
  workgroupBarrier();`;
      }
      return subgroup ? `${variable} = subgroupAdd(${variable});` : "";
    },
  };
  return defineKernel({
    ...definition,
    ...(subgroup && { enable: "enable subgroups;" }),
    workgroups: [quads, 1, 1],
    body: /* wgsl */ `
${family === "workgroup" ? `var<workgroup> totals: array<vec4f, ${SIZE}>;` : ""}
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let quad = group.x;
  let writer = lane == 0u;
  ${definition.body(text)}
}`,
  });
}

export interface PartialsText {
  /** WGSL that runs `body` for each `partialIndex` of the invocation, of `count` in all. */
  readonly eachPartial: (count: string, body: string) => string;
  /** WGSL that makes a vec4 variable its total over the workgroup; only where all invocations come by. */
  readonly total: (variable: string) => string;
}
