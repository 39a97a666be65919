import { channelWalk, walkText } from "./channels.ts";
import { defineKernel } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/** `y = x + bias`; `x`, `y`: `[rows, C]`, `bias`: `[C]`. */
export function biasForward(target: KernelTarget, rows: number, channels: number): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "bias_forward",
    read: { x: array, bias: array },
    write: { y: array },
    params: walk.params,
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: "let added = bias[column];",
      row: "y[at] = x[at] + added;",
    }),
  });
}
