import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";

/** WGSL: where the four copies of pixel `row` begin in the image of twice the size. */
const COPIES = /* wgsl */ `
    let line = row / params.imageWidth;
    let below = params.imageWidth * 2u * params.channels;
    let first = (line * params.imageWidth * 4u + (row - line * params.imageWidth) * 2u) * params.channels + channel;`;

/** Each pixel becomes 2×2 equal ones: `x` `[N, H, W, C]` to `y` `[N, 2H, 2W, C]`, of which `rows` is N·H·W. */
export function upsampleNearest2xForward(
  target: KernelTarget,
  rows: number,
  imageWidth: number,
  channels: number,
): Kernel {
  const { width, float } = laneFor(channels);
  return defineKernel({
    label: "upsample_nearest2x_forward",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    ...overPixels(target, rows, imageWidth, channels / width),
    body: channelMain(/* wgsl */ `${COPIES}
    let value = load_x(row * params.channels + channel);
    store_y(first, value);
    store_y(first + params.channels, value);
    store_y(first + below, value);
    store_y(first + below + params.channels, value);`),
  });
}

/** Gradient of {@link upsampleNearest2xForward}: `dy` `[N, 2H, 2W, C]` to `dx` `[N, H, W, C]`, sums of 2×2 pixels. */
export function upsampleNearest2xBackward(
  target: KernelTarget,
  rows: number,
  imageWidth: number,
  channels: number,
): Kernel {
  const { width, float } = laneFor(channels);
  return defineKernel({
    label: "upsample_nearest2x_backward",
    read: { dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    ...overPixels(target, rows, imageWidth, channels / width),
    body: channelMain(/* wgsl */ `${COPIES}
    let upper = load_dy(first) + load_dy(first + params.channels);
    let lower = load_dy(first + below) + load_dy(first + below + params.channels);
    store_dx(row * params.channels + channel, upper + lower);`),
  });
}

const overPixels = (target: KernelTarget, rows: number, imageWidth: number, channels: number) => ({
  params: { rows: u32(rows), channels: u32(channels), imageWidth: u32(imageWidth) },
  workgroups: channelGrid(target, rows, channels),
});
