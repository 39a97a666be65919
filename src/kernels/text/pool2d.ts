/** @file What the kernels of max and average pooling share: their grid, their uniforms and the WGSL that finds windows. */
import { channelGrid, channelMain } from "./channel-grid.ts";
import { defineKernel, i32, u32 } from "../kernel.ts";
import type { Kernel, KernelDefinition, KernelTarget } from "../kernel.ts";
import { laneFor } from "./lane.ts";
import type { Lane } from "./lane.ts";
import type { PoolGeometry } from "./pool2d-geometry.ts";

type PoolDefinition = Pick<KernelDefinition, "label" | "read" | "write" | "body">;

/**
 * A pooling kernel with an item for each window (forward) or each pixel (backward) and channel: `body` is the statements
 * for the channel `channel` of `row`, the window or the pixel, in the image `image`. Also in scope is, of each axis:
 *
 * - for a window, where it begins (`top`, `left`), and which of its positions count (`ys`, `xs`: from x to y − 1);
 * - for a pixel, where it lies from the beginning of the first window (`fromTop`, `fromLeft`), and which windows cover it
 *   (`ys`, `xs`: from x to y).
 */
export function poolKernel(
  target: KernelTarget,
  geometry: PoolGeometry,
  item: "window" | "pixel",
  define: (lane: Lane) => PoolDefinition,
): Kernel {
  const { batch, inputHeight, inputWidth, outputHeight, outputWidth, channels } = geometry;
  const lane = laneFor(channels);
  const rows = batch * (item === "window" ? outputHeight * outputWidth : inputHeight * inputWidth);
  const { body, ...definition } = define(lane);
  return defineKernel({
    ...definition,
    params: {
      rows: u32(rows),
      channels: u32(channels / lane.width),
      inputHeight: i32(inputHeight),
      inputWidth: i32(inputWidth),
      outputHeight: i32(outputHeight),
      outputWidth: i32(outputWidth),
      poolHeight: i32(geometry.poolHeight),
      poolWidth: i32(geometry.poolWidth),
      padTop: i32(geometry.padTop),
      padLeft: i32(geometry.padLeft),
      zeros: u32(geometry.zeros ? 1 : 0),
    },
    workgroups: channelGrid(target, rows, channels / lane.width),
    body: functions(geometry) + channelMain(LOCATE[item] + body),
  });
}

/**
 * The strides are constants of the text: a division by a run-time value costs as much as several loads on adapters that
 * run on the CPU.
 */
const functions = ({ strideY, strideX }: PoolGeometry): string => /* wgsl */ `
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

/** Decodes `row`, a pixel of the input or output images, into `image`, `py` and `px`. */
const decode = (side: "input" | "output"): string => /* wgsl */ `
    let line = i32(row) / params.${side}Width;
    let px = i32(row) - line * params.${side}Width;
    let image = line / params.${side}Height;
    let py = line - image * params.${side}Height;`;

const LOCATE = {
  window: /* wgsl */ `${decode("output")}
    let top = py * STRIDE_Y - params.padTop;
    let left = px * STRIDE_X - params.padLeft;
    let ys = windowRange(top, params.poolHeight, params.inputHeight);
    let xs = windowRange(left, params.poolWidth, params.inputWidth);`,
  pixel: /* wgsl */ `${decode("input")}
    let fromTop = py + params.padTop;
    let fromLeft = px + params.padLeft;
    let ys = covering(fromTop, params.poolHeight, STRIDE_Y, params.outputHeight);
    let xs = covering(fromLeft, params.poolWidth, STRIDE_X, params.outputWidth);`,
};
