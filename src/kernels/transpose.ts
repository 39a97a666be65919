import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/** `y` `[rows, columns]` is the transpose of `x` `[columns, rows]`. */
export function transposeForward(target: KernelTarget, rows: number, columns: number): Kernel {
  return defineKernel({
    label: "transpose",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { rows: u32(rows), channels: u32(columns) },
    workgroups: channelGrid(target, rows, columns),
    body: channelMain("store_y(row * params.channels + channel, load_x(channel * params.rows + row));"),
  });
}
