import { channelWalk, walkText } from "./text/channels.ts";
import { defineKernel } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/** `y = x + bias`, or in place `y += bias`; `x`, `y`: `[rows, C]`, `bias`: `[C]`. */
export function biasForward(
  target: KernelTarget,
  rows: number,
  channels: number,
  { inPlace = false }: { inPlace?: boolean } = {},
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "bias_forward",
    read: { ...(!inPlace && { x: array }), bias: array },
    write: { y: array },
    params: walk.params,
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: "let added = load_bias(column);",
      row: inPlace ? "store_y(at, load_y(at) + added);" : "store_y(at, load_x(at) + added);",
    }),
  });
}
