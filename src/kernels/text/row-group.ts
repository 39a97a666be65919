/**
 * @file How kernels reduce long rows, such as a group's channels over an image: one workgroup a row, on adapters that run on the CPU one
 * subgroup, so that no barrier is needed; without subgroups one invocation.
 */
import { defineKernel, linearGrid, u32 } from "../kernel.ts";
import type { Kernel, KernelDefinition, KernelTarget } from "../kernel.ts";

const MOST_LANES = 256;
/** Values that a lane should have. */
const PER_LANE = 4;

export interface RowGroupText {
  /** Invocations a row; in the text each is a `lane`. */
  readonly lanes: number;
  /** WGSL that makes a variable of `type` its total over the row's lanes; only where all of them come by. */
  readonly total: (variable: string) => string;
}

/**
 * A kernel for `rows` rows of `length` values: `body` gets {@link RowGroupText} and has `row` and `lane` in scope; the uniform block also
 * holds `rows`. `type`: of what is brought together.
 */
export function rowGroupKernel(
  target: KernelTarget,
  { rows, length, type }: { readonly rows: number; readonly length: number; readonly type: "f32" | "vec2f" },
  definition: Omit<KernelDefinition, "workgroups" | "body" | "enable" | "params"> & {
    readonly params: (lanes: number) => NonNullable<KernelDefinition["params"]>;
    readonly body: (text: RowGroupText) => string;
  },
): Kernel {
  const { family, subgroupSize, maxInvocations } = target;
  const shared = family === "workgroup";
  const wanted = Math.min(MOST_LANES, maxInvocations, Math.max(1, Math.ceil(length / PER_LANE)));
  const lanes = shared ? 2 ** Math.floor(Math.log2(wanted)) : Math.max(1, subgroupSize);
  const total = (variable: string): string => {
    if (!shared) return lanes > 1 ? `${variable} = subgroupAdd(${variable});` : "";
    if (lanes === 1) return "";
    return `totals[lane] = ${variable};
  for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { totals[lane] += totals[lane + half]; }
  }
  workgroupBarrier();
  ${variable} = totals[0];
  workgroupBarrier();`;
  };
  return defineKernel({
    ...definition,
    params: { rows: u32(rows), ...definition.params(lanes) },
    ...(!shared && lanes > 1 && { enable: "enable subgroups;" }),
    workgroups: linearGrid(target, rows, 1),
    body: /* wgsl */ `
${shared ? `var<workgroup> totals: array<${type}, ${lanes}>;` : ""}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  ${definition.body({ lanes, total })}
}`,
  });
}
