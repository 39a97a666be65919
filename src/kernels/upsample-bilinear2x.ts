import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";

/** The small images `[N, H, W, C]`, of which `rows` is N·H·W. */
export interface SmallImages {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** WGSL: where the four of pixel `row` begin in the image of twice the size, and which edges it is at. */
const PLACE = /* wgsl */ `
    let line = row / params.imageWidth;
    let column = row - line * params.imageWidth;
    let below = params.imageWidth * 2u * params.channels;
    let first = (line * params.imageWidth * 4u + column * 2u) * params.channels + channel;
    let isTop = line % params.imageHeight == 0u;
    let isBottom = (line + 1u) % params.imageHeight == 0u;
    let isLeft = column == 0u;
    let isRight = column + 1u == params.imageWidth;`;

/**
 * Twice the size, bilinear: each pixel becomes four, along either axis 3/4 of itself and 1/4 of the neighbour on their side. Beyond
 * an edge lies what lies at it. `x` `[N, H, W, C]` to `y` `[N, 2H, 2W, C]`.
 */
export function upsampleBilinear2xForward(target: KernelTarget, images: SmallImages): Kernel {
  const { width, float } = laneFor(images.channels);
  return defineKernel({
    label: "upsample_bilinear2x_forward",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    ...overPixels(target, images, width),
    // The four share what they load: three pixels of three lines.
    body: channelMain(/* wgsl */ `${PLACE}
    let left = select(1u, 0u, isLeft);
    let right = select(1u, 0u, isRight);
    let upper = row - select(params.imageWidth, 0u, isTop);
    let middle = row;
    let lower = row + select(params.imageWidth, 0u, isBottom);
    ${["upper", "middle", "lower"]
      .map(
        (line) => /* wgsl */ `
    let ${line}Pixel = 0.75 * load_x(${line} * params.channels + channel);
    let ${line}Left = ${line}Pixel + 0.25 * load_x((${line} - left) * params.channels + channel);
    let ${line}Right = ${line}Pixel + 0.25 * load_x((${line} + right) * params.channels + channel);`,
      )
      .join("")}
    store_y(first, 0.75 * middleLeft + 0.25 * upperLeft);
    store_y(first + params.channels, 0.75 * middleRight + 0.25 * upperRight);
    store_y(first + below, 0.75 * middleLeft + 0.25 * lowerLeft);
    store_y(first + below + params.channels, 0.75 * middleRight + 0.25 * lowerRight);`),
  });
}

/**
 * Gradient of {@link upsampleBilinear2xForward}: `dy` `[N, 2H, 2W, C]` to `dx` `[N, H, W, C]`, sums of 4×4 pixels by (1 3 3 1)/4
 * along either axis. A pixel at an edge stands in for the one beyond, so `dy` counts there as if it were repeated.
 */
export function upsampleBilinear2xBackward(target: KernelTarget, images: SmallImages): Kernel {
  const { width, float } = laneFor(images.channels);
  const line = (at: string): string => /* wgsl */ `
      (0.75 * (load_dy(${at}) + load_dy(${at} + params.channels)) + 0.25 * (load_dy(${at} - left) + load_dy(${at} + right)))`;
  return defineKernel({
    label: "upsample_bilinear2x_backward",
    read: { dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    ...overPixels(target, images, width),
    body: channelMain(/* wgsl */ `${PLACE}
    let left = select(params.channels, 0u, isLeft);
    let right = params.channels * select(2u, 1u, isRight);
    let second = first + below;
    let above = first - select(below, 0u, isTop);
    let beneath = second + select(below, 0u, isBottom);
    let inner = ${line("first")} +${line("second")};
    let outer = ${line("above")} +${line("beneath")};
    store_dx(row * params.channels + channel, 0.75 * inner + 0.25 * outer);`),
  });
}

function overPixels(target: KernelTarget, { rows, height, width, channels }: SmallImages, laneWidth: number) {
  const lanes = channels / laneWidth;
  return {
    params: { rows: u32(rows), channels: u32(lanes), imageHeight: u32(height), imageWidth: u32(width) },
    workgroups: channelGrid(target, rows, lanes),
  };
}
