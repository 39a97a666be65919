import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, i32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";

/** Images laid into images of another size. */
export interface PixelShift {
  readonly batch: number;
  readonly channels: number;
  readonly from: { readonly height: number; readonly width: number };
  readonly to: { readonly height: number; readonly width: number };
  /** Where the first pixel of `from` comes to lie in `to`; negative where it is cut off. */
  readonly top: number;
  readonly left: number;
}

/** `x` `[N, H, W, C]` laid into `y` `[N, H', W', C]`: what `x` does not cover is 0, what does not fit is cut off. */
export function shiftPixels(target: KernelTarget, shift: PixelShift): Kernel {
  const { batch, channels, from, to, top, left } = shift;
  const { width, float } = laneFor(channels);
  const rows = batch * to.height * to.width;
  return defineKernel({
    label: "shift_pixels",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    params: {
      rows: u32(rows),
      channels: u32(channels / width),
      fromHeight: i32(from.height),
      fromWidth: i32(from.width),
      toHeight: i32(to.height),
      toWidth: i32(to.width),
      top: i32(top),
      left: i32(left),
    },
    workgroups: channelGrid(target, rows, channels / width),
    body: channelMain(/* wgsl */ `
    let line = i32(row) / params.toWidth;
    let image = line / params.toHeight;
    let iy = line - image * params.toHeight - params.top;
    let ix = i32(row) - line * params.toWidth - params.left;
    var value = ${float}();
    if (iy >= 0 && iy < params.fromHeight && ix >= 0 && ix < params.fromWidth) {
      value = load_x(u32((image * params.fromHeight + iy) * params.fromWidth + ix) * params.channels + channel);
    }
    store_y(row * params.channels + channel, value);`),
  });
}
