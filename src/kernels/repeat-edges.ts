import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { laneFor } from "./text/lane.ts";

/** Images `[N, H, W, C]` that get a border of one pixel. */
export interface BorderedImages {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The outermost pixels once more around each image: `x` `[N, H, W, C]` to `y` `[N, H + 2, W + 2, C]`. */
export function repeatEdgesForward(target: KernelTarget, images: BorderedImages): Kernel {
  const { batch, height, width, channels } = images;
  const { float, width: lane } = laneFor(channels);
  const rows = batch * (height + 2) * (width + 2);
  return defineKernel({
    label: "repeat_edges_forward",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    params: params(images, rows, channels / lane),
    workgroups: channelGrid(target, rows, channels / lane),
    body: channelMain(/* wgsl */ `
    let line = row / (params.imageWidth + 2u);
    let column = row - line * (params.imageWidth + 2u);
    let image = line / (params.imageHeight + 2u);
    let lineOfImage = line - image * (params.imageHeight + 2u);
    let sourceLine = image * params.imageHeight + clamp(lineOfImage, 1u, params.imageHeight) - 1u;
    let source = sourceLine * params.imageWidth + clamp(column, 1u, params.imageWidth) - 1u;
    store_y(row * params.channels + channel, load_x(source * params.channels + channel));`),
  });
}

/** Gradient of {@link repeatEdgesForward}: `dy` `[N, H + 2, W + 2, C]` to `dx` `[N, H, W, C]`, a pixel's and its repetitions'. */
export function repeatEdgesBackward(target: KernelTarget, images: BorderedImages): Kernel {
  const { batch, height, width, channels } = images;
  const { float, width: lane } = laneFor(channels);
  const rows = batch * height * width;
  return defineKernel({
    label: "repeat_edges_backward",
    read: { dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    params: params(images, rows, channels / lane),
    workgroups: channelGrid(target, rows, channels / lane),
    body: /* wgsl */ `
fn along_line(at: u32, isLeft: bool, isRight: bool) -> ${float} {
  var sum = load_dy(at);
  if (isLeft) { sum += load_dy(at - params.channels); }
  if (isRight) { sum += load_dy(at + params.channels); }
  return sum;
}
${channelMain(/* wgsl */ `
    let line = row / params.imageWidth;
    let column = row - line * params.imageWidth;
    let image = line / params.imageHeight;
    let isLeft = column == 0u;
    let isRight = column + 1u == params.imageWidth;
    let pitch = (params.imageWidth + 2u) * params.channels;
    let at = (line + 2u * image + 1u) * pitch + (column + 1u) * params.channels + channel;
    var sum = along_line(at, isLeft, isRight);
    if (line % params.imageHeight == 0u) { sum += along_line(at - pitch, isLeft, isRight); }
    if ((line + 1u) % params.imageHeight == 0u) { sum += along_line(at + pitch, isLeft, isRight); }
    store_dx(row * params.channels + channel, sum);`)}`,
  });
}

const params = ({ height, width }: BorderedImages, rows: number, channels: number) => ({
  ...{ rows: u32(rows), channels: u32(channels), imageHeight: u32(height), imageWidth: u32(width) },
});
