import { channelWalk, walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { numberedBuffers } from "./text/several-tensors.ts";
import { partialsKernel } from "./text/partials.ts";

/** Sums by partial of `walk`: `x` `[rows, C]` to `sum` `[.., C]`, written from row `firstPartial` on. */
export function sumChannels(walk: ChannelWalk, firstPartial = 0): Kernel {
  return sums(walk, ["x"], ["sum"], firstPartial);
}

/** The gradient of such a sum: every row of `dx` `[rows, C]` is `dsum` `[C]`. */
export function sumChannelsBackward(target: KernelTarget, rows: number, channels: number): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  return defineKernel({
    label: "channel_sum_gradient",
    read: { dsum: `array<${walk.type}>` },
    write: { dx: `array<${walk.type}>` },
    params: walk.params,
    workgroups: walk.workgroups,
    body: walkText(walk, { start: "let value = load_dsum(column);", row: "store_dx(at, value);" }),
  });
}

/** {@link sumChannels} of several matrices at once: `x0` to `sum0`, and so on. */
export function sumChannelsOfSeveral(walk: ChannelWalk, count: number): Kernel {
  const names = (name: string): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);
  return sums(walk, names("x"), names("sum"), 0);
}

function sums(
  walk: ChannelWalk,
  from: readonly string[],
  to: readonly string[],
  firstPartial: number,
): Kernel {
  const buffers = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, `array<${walk.type}>`]));
  const each = (text: (i: number) => string): string => from.map((_, i) => text(i)).join("\n  ");
  return defineKernel({
    label: `channel_sum_${from.length}`,
    read: buffers(from),
    write: buffers(to),
    params: { ...walk.params, firstPartial: u32(firstPartial) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: each((i) => `var total${i} = T(0.0);`),
      row: each((i) => `total${i} += load_${from[i]}(at);`),
      end: each(
        (i) => `store_${to[i]}((params.firstPartial + partialIndex) * params.columns + column, total${i});`,
      ),
    }),
  });
}

/**
 * The sums of partials `[partials, C]` over all partials, of `count` matrices at once: `x0` to `sum0` `[C]`, and so on, in one
 * dispatch. C must be a multiple of 4.
 */
export function sumOverPartials(
  target: KernelTarget,
  partialCount: number,
  channels: number,
  count: number,
): Kernel {
  const each = (text: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => text(i)).join("\n  ");
  return partialsKernel(target, channels / 4, {
    label: `sum_over_partials_${count}`,
    read: numberedBuffers(["x"], count, "vec4f"),
    write: numberedBuffers(["sum"], count, "vec4f"),
    params: { partialCount: u32(partialCount), quads: u32(channels / 4) },
    body: ({ eachPartial, total }) => /* wgsl */ `
  ${each((i) => `var total${i} = vec4f();`)}
  ${eachPartial(
    "params.partialCount",
    each((i) => `total${i} += load_x${i}(partialIndex * params.quads + quad);`),
  )}
  ${each((i) => total(`total${i}`))}
  if (writer) {
    ${each((i) => `store_sum${i}(quad, total${i});`)}
  }`,
  });
}
