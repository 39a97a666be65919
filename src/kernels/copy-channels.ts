import { channelGrid, channelMain } from "./text/channel-grid.ts";
import type { ChannelRange } from "./text/channel-range.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";

/**
 * Copies `channels` channels of `x` `[rows, from.width]` from `from.begin` on into those of `y` `[rows, to.width]` from
 * `to.begin` on; the other channels of `y` are left as they are. Concatenation and slicing are both this.
 */
export function copyChannels(
  target: KernelTarget,
  rows: number,
  channels: number,
  from: ChannelRange,
  to: ChannelRange,
): Kernel {
  const { width, float } = laneFor(channels, from.width, from.begin, to.width, to.begin);
  return defineKernel({
    label: "copy_channels",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    params: {
      rows: u32(rows),
      channels: u32(channels / width),
      fromWidth: u32(from.width / width),
      fromBegin: u32(from.begin / width),
      toWidth: u32(to.width / width),
      toBegin: u32(to.begin / width),
    },
    workgroups: channelGrid(target, rows, channels / width),
    body: channelMain(/* wgsl */ `
    let value = load_x(row * params.fromWidth + params.fromBegin + channel);
    store_y(row * params.toWidth + params.toBegin + channel, value);`),
  });
}
