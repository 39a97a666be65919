import type { KernelTarget } from "../kernel.ts";

/**
 * @file The grid of kernels that walk over rows of channels: `[rows, channels]`, where a row is a pixel. Invocations of
 * one subgroup lie along the channels, so that their loads are neighbours; rows lie across, and an invocation takes
 * every so many of them, so that no count of pixels is too large and an index is decoded once a pixel.
 */
export const LANES = 8;
const ROWS = 8;

/** Workgroups for `rows` × `channels` items; {@link channelMain} is its other half in WGSL. */
export function channelGrid(target: KernelTarget, rows: number, channels: number): [number, number, number] {
  return [Math.ceil(channels / LANES), Math.min(Math.ceil(rows / ROWS), target.maxWorkgroupsPerDimension), 1];
}

/**
 * The `main` of a kernel under {@link channelGrid}: runs `body` for each (`row`, `channel`) below `params.rows` and
 * `params.channels`, both u32.
 */
export function channelMain(body: string): string {
  return /* wgsl */ `
@compute @workgroup_size(${LANES}, ${ROWS})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let channel = id.x;
  if (channel >= params.channels) { return; }
  for (var row = id.y; row < params.rows; row += groups.y * ${ROWS}u) {
    ${body}
  }
}`;
}
