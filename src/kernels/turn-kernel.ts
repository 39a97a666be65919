import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/**
 * A convolution's kernel turned by half a turn, its channels exchanged: `x` `[kh, kw, columns, rows]` to `y` `[kh, kw, rows, columns]`
 * with `y[ky, kx, row, column] = x[kh − 1 − ky, kw − 1 − kx, column, row]`; `taps` is kh·kw. Where both come in fours, four times four
 * numbers are exchanged together.
 */
export function turnKernel(target: KernelTarget, taps: number, rows: number, columns: number): Kernel {
  const width = rows % 4 === 0 && columns % 4 === 0 ? 4 : 1;
  const lines = Array.from({ length: width }, (_, i) => i);
  const array = width === 4 ? "array<vec4f>" : "array<f32>";
  const loads = lines.map((i) => `let x${i} = load_x(last - tap * size + ${i}u * params.rows);`);
  const stores = lines.map((i) => {
    const value = width === 4 ? `vec4f(${lines.map((j) => `x${j}[${i}]`).join(", ")})` : "x0";
    return `store_y(tap * size + to + ${i}u * params.channels, ${value});`;
  });
  return defineKernel({
    label: "turn_kernel",
    read: { x: array },
    write: { y: array },
    params: { rows: u32(rows / width), channels: u32(columns / width), taps: u32(taps) },
    workgroups: channelGrid(target, rows / width, columns / width),
    body: channelMain(/* wgsl */ `
    let size = params.rows * params.channels * ${width}u;
    let last = (params.taps - 1u) * size + channel * ${width}u * params.rows + row;
    let to = row * ${width}u * params.channels + channel;
    for (var tap = 0u; tap < params.taps; tap++) {
      ${[...loads, ...stores].join("\n      ")}
    }`),
  });
}
