import { channelWalk, walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { numberedBuffers } from "./text/several-tensors.ts";
import { partialsKernel } from "./text/partials.ts";

/** Sums by partial of `walk`: `x` `[rows, C]` to `sum` `[.., C]`, written from row `firstPartial` on. */
export function sumChannels(walk: ChannelWalk, firstPartial = 0): Kernel {
  return defineKernel({
    label: "channel_sum",
    read: { x: `array<${walk.type}>` },
    write: { sum: `array<${walk.type}>` },
    params: { ...walk.params, firstPartial: u32(firstPartial) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: "var total = T(0.0);",
      row: "total += load_x(at);",
      end: "store_sum((params.firstPartial + partialIndex) * params.columns + column, total);",
    }),
  });
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

/** One of the sums of {@link sumOverPartials}: of `partials` `[partialCount, count]` over the first axis. */
export interface PartialSum {
  readonly partialCount: number;
  readonly count: number;
  /** Number of the buffer that the sum goes to, and the first element there. */
  readonly to: number;
  readonly begin: number;
}

/** Quads that {@link sumOverPartials} takes such a sum for. */
export const quadsOf = ({ count }: Pick<PartialSum, "count">): number => Math.ceil(count / 4);

/** Sums partials, several matrices in one dispatch: `x0`, `x1`, .. to places in `sum0`, `sum1`, .. */
export function sumOverPartials(target: KernelTarget, sums: readonly PartialSum[]): Kernel {
  const inFours = sums.every(({ count, begin }) => count % 4 === 0 && begin % 4 === 0);
  const width = inFours ? 4 : 1;
  const results = Math.max(...sums.map(({ to }) => to)) + 1;
  const params: Record<string, Uniform> = {};
  let end = 0;
  sums.forEach((sum, i) => {
    end += quadsOf(sum);
    params[`end${i}`] = u32(end);
    params[`partials${i}`] = u32(sum.partialCount);
    params[`count${i}`] = u32(sum.count / width);
    params[`begin${i}`] = u32(sum.begin / width);
  });
  /** `text` of the sum that the workgroup works on, with `own`, its quad among those of that sum. */
  const choose = (text: (i: number) => string): string =>
    sums
      .map((_, i) => {
        const others = i === sums.length - 1 ? "{" : `if (quad < params.end${i}) {`;
        return `${others} let own = quad${i === 0 ? "" : ` - params.end${i - 1}`}; ${text(i)} }`;
      })
      .join(" else ");
  const lanes = [0, 1, 2, 3];
  const load = (i: number): string =>
    inFours
      ? `load_x${i}(row + own)`
      : `vec4f(${lanes.map((lane) => `load_x${i}(row + min(4u * own + ${lane}u, params.count${i} - 1u))`).join(", ")})`;
  const store = (i: number): string =>
    inFours
      ? `store_sum${sums[i].to}(params.begin${i} + own, total);`
      : lanes
          .map(
            (lane) => `if (4u * own + ${lane}u < params.count${i}) {
      store_sum${sums[i].to}(params.begin${i} + 4u * own + ${lane}u, total[${lane}]);
    }`,
          )
          .join(" ");
  const element = inFours ? "vec4f" : "f32";
  return partialsKernel(target, end, {
    label: `sum_over_partials_${sums.length}`,
    read: numberedBuffers(["x"], sums.length, element),
    write: numberedBuffers(["sum"], results, element),
    params,
    body: ({ eachPartial, total }) => /* wgsl */ `
  var total = vec4f();
  ${choose((i) =>
    eachPartial(`params.partials${i}`, `let row = partialIndex * params.count${i}; total += ${load(i)};`),
  )}
  ${total("total")}
  if (writer) {
    ${choose(store)}
  }`,
  });
}
