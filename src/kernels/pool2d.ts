import type { Uniform } from "./kernel.ts";
import { i32, u32 } from "./kernel.ts";
import type { PoolGeometry } from "./pool2d-geometry.ts";

/** @file What the kernels of max and average pooling share: their uniforms and the WGSL that finds windows. */

/** The uniforms of a pooling kernel; `width` channels are one item. */
export function poolParams(geometry: PoolGeometry, rows: number, width: number): Record<string, Uniform> {
  return {
    rows: u32(rows),
    channels: u32(geometry.channels / width),
    inputHeight: i32(geometry.inputHeight),
    inputWidth: i32(geometry.inputWidth),
    outputHeight: i32(geometry.outputHeight),
    outputWidth: i32(geometry.outputWidth),
    poolHeight: i32(geometry.poolHeight),
    poolWidth: i32(geometry.poolWidth),
    padTop: i32(geometry.padTop),
    padLeft: i32(geometry.padLeft),
    zeros: u32(geometry.zeros ? 1 : 0),
  };
}

/**
 * WGSL functions over the uniforms above. The strides are constants of the text: a division by a run-time value costs
 * as much as several loads on adapters that run on the CPU.
 */
export const poolFunctions = ({ strideY, strideX }: PoolGeometry): string => /* wgsl */ `
const STRIDE_Y = ${strideY};
const STRIDE_X = ${strideX};

// Positions from x to y - 1 of a window that begins at \`start\`: all of them where zeros count, else those inside.
fn windowRange(start: i32, size: i32, extent: i32) -> vec2i {
  if (params.zeros == 1u) { return vec2i(0, size); }
  return vec2i(max(0, -start), min(size, extent - start));
}

// Windows from x to y that cover a pixel; \`position\` counts from the first window's beginning.
fn covering(position: i32, size: i32, stride: i32, windows: i32) -> vec2i {
  return vec2i(max(0, (position - size + stride) / stride), min(position / stride, windows - 1));
}
`;

/** WGSL that decodes `row`, a pixel of the input or output images, into `image`, `py` and `px`. */
export const decodePixel = (side: "input" | "output"): string => /* wgsl */ `
    let line = i32(row) / params.${side}Width;
    let px = i32(row) - line * params.${side}Width;
    let image = line / params.${side}Height;
    let py = line - image * params.${side}Height;`;
