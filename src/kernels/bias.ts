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
      start: "let added = bias[column];",
      row: inPlace ? "y[at] += added;" : "y[at] = x[at] + added;",
    }),
  });
}
