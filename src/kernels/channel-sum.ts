import { walkText } from "./channels.ts";
import type { ChannelWalk } from "./channels.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";

/** Sums by slot of `walk`: `x` `[rows, C]` to `sum` `[.., C]`, written from row `firstSlot` on. */
export function sumChannels(walk: ChannelWalk, firstSlot = 0): Kernel {
  return sums(walk, ["x"], ["sum"], firstSlot);
}

/** {@link sumChannels} of two matrices at once: `x0` to `sum0` and `x1` to `sum1`. */
export function sumChannelsOfTwo(walk: ChannelWalk): Kernel {
  return sums(walk, ["x0", "x1"], ["sum0", "sum1"], 0);
}

function sums(walk: ChannelWalk, from: readonly string[], to: readonly string[], firstSlot: number): Kernel {
  const buffers = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, `array<${walk.type}>`]));
  const each = (text: (i: number) => string): string => from.map((_, i) => text(i)).join("\n  ");
  return defineKernel({
    label: `channel_sum_${from.length}`,
    read: buffers(from),
    write: buffers(to),
    params: { ...walk.params, firstSlot: u32(firstSlot) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: each((i) => `var total${i} = T(0.0);`),
      row: each((i) => `total${i} += ${from[i]}[at];`),
      end: each((i) => `${to[i]}[(params.firstSlot + slot) * params.columns + column] = total${i};`),
    }),
  });
}
