import type { KernelTarget } from "./kernel.ts";

/**
 * @file The grid of kernels that walk over rows of channels: `[rows, channels]`, where a row is a pixel. Invocations of
 * one subgroup lie along the channels, so that their loads are neighbours; rows lie across, and an invocation takes
 * every so many of them, so that no count of pixels is too large and an index is decoded once a pixel.
 */
export const LANES = 8;
const ROWS = 8;

/** WGSL types of an element and of its comparisons and window positions: four channels at once or one. */
export interface Lane {
  readonly width: 4 | 1;
  readonly float: "vec4f" | "f32";
  readonly uint: "vec4u" | "u32";
}

/** Four channels an invocation where all of `extents` (channel counts and offsets) allow it. */
export function laneFor(...extents: number[]): Lane {
  return extents.every((extent) => extent % 4 === 0)
    ? { width: 4, float: "vec4f", uint: "vec4u" }
    : { width: 1, float: "f32", uint: "u32" };
}

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
