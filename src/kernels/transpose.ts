import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/** Matrices, one after the other. */
export interface TransposedMatrices {
  readonly count: number;
  /** Of each result. */
  readonly rows: number;
  readonly columns: number;
}

/** Extent of the tiles that are turned in workgroup memory, and rows of a workgroup's invocations. */
const TILE = 32;
const ACROSS = 8;

/** Each matrix of `y` `[count, rows, columns]` is the transpose of one of `x` `[count, columns, rows]`; f32 or u32. */
export function transposeForward(
  target: KernelTarget,
  { count, rows, columns }: TransposedMatrices,
  uint = false,
): Kernel {
  const type = `array<${uint ? "u32" : "f32"}>`;
  const params = { rows: u32(rows), channels: u32(columns) };
  const common = { label: "transpose", read: { x: type }, write: { y: type }, params };
  if (target.family === "register") {
    const [x, y] = channelGrid(target, rows, columns);
    return defineKernel({
      ...common,
      workgroups: [x, y, count],
      body: channelMain(
        `let at = id.z * params.rows * params.channels;
    store_y(at + row * params.channels + channel, load_x(at + channel * params.rows + row));`,
      ),
    });
  }
  // Neighbours read neighbours and write neighbours; a column of padding keeps those that write out of each other's memory banks.
  return defineKernel({
    ...common,
    workgroups: [
      Math.ceil(columns / TILE),
      Math.min(Math.ceil(rows / TILE), target.maxWorkgroupsPerDimension),
      count,
    ],
    body: /* wgsl */ `var<workgroup> turned: array<array<${uint ? "u32" : "f32"}, ${TILE + 1}>, ${TILE}>;
@compute @workgroup_size(${TILE}, ${ACROSS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let at = group.z * params.rows * params.channels;
  let firstColumn = group.x * ${TILE}u;
  for (var firstRow = group.y * ${TILE}u; firstRow < params.rows; firstRow += groups.y * ${TILE}u) {
    for (var i = local.y; i < ${TILE}u; i += ${ACROSS}u) {
      let column = firstColumn + i;
      let row = firstRow + local.x;
      if (column < params.channels && row < params.rows) {
        turned[i][local.x] = load_x(at + column * params.rows + row);
      }
    }
    workgroupBarrier();
    for (var i = local.y; i < ${TILE}u; i += ${ACROSS}u) {
      let column = firstColumn + local.x;
      let row = firstRow + i;
      if (column < params.channels && row < params.rows) {
        store_y(at + row * params.channels + column, turned[local.x][i]);
      }
    }
    workgroupBarrier();
  }
}`,
  });
}
