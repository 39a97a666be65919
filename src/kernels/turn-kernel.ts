import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/**
 * A convolution's kernel turned by half a turn, its channels exchanged: `x` `[kh, kw, columns, rows]` to `y` `[kh, kw, rows, columns]`
 * with `y[ky, kx, row, column] = x[kh − 1 − ky, kw − 1 − kx, column, row]`; `taps` is kh·kw.
 */
export function turnKernel(target: KernelTarget, taps: number, rows: number, columns: number): Kernel {
  return defineKernel({
    label: "turn_kernel",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { rows: u32(rows), channels: u32(columns), taps: u32(taps) },
    workgroups: channelGrid(target, rows, columns),
    body: channelMain(/* wgsl */ `
    let size = params.rows * params.channels;
    let last = (params.taps - 1u) * size + channel * params.rows + row;
    let to = row * params.channels + channel;
    for (var tap = 0u; tap < params.taps; tap++) { store_y(tap * size + to, load_x(last - tap * size)); }`),
  });
}
