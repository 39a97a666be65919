import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import { walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";

/** Of which pixels and channels of `[rows, C]` statistics are. */
export interface StatisticsOf {
  /** Pixels that share them. */
  readonly pixels: number;
  readonly groups: number;
  /** Channels that share them. */
  readonly groupSize: number;
}

/**
 * Sums by partial of `walk`, from row `firstPartial` on: `dgamma` of dy·(x − mean)·scale and `dbeta` of dy, `[.., C]`. `x` and `dy`:
 * `[rows, C]`; `statistics` `[.., groups, 2]`, mean and scale, of which the first row's are at image `firstImage`.
 */
export function normParameterGradients(
  walk: ChannelWalk,
  { pixels, groups, groupSize }: StatisticsOf,
  { firstPartial, firstImage }: { readonly firstPartial: number; readonly firstImage: number },
): Kernel {
  const four = walk.type === "vec4f";
  const apart = four && groupSize % 4 !== 0;
  /** Statistics of the group that the k-th channel of the column belongs to. */
  const load = (k: number): string =>
    `load_statistics(base${groups === 1 ? "" : ` + (column * ${four ? 4 : 1}u + ${k}u) / params.groupSize`})`;
  const statistics = apart
    ? `let s0 = ${load(0)}; let s1 = ${load(1)}; let s2 = ${load(2)}; let s3 = ${load(3)};
    let mean = vec4f(s0.x, s1.x, s2.x, s3.x);
    let scale = vec4f(s0.y, s1.y, s2.y, s3.y);`
    : `let s = ${load(0)};
    let mean = s.x;
    let scale = s.y;`;
  return defineKernel({
    label: "norm_parameter_gradients",
    read: { x: `array<${walk.type}>`, dy: `array<${walk.type}>`, statistics: "array<vec2f>" },
    write: { dgamma: `array<${walk.type}>`, dbeta: `array<${walk.type}>` },
    params: {
      ...walk.params,
      firstPartial: u32(firstPartial),
      firstImage: u32(firstImage),
      ...(pixels > 1 && { pixels: u32(pixels) }),
      ...(groups > 1 && { groups: u32(groups), groupSize: u32(groupSize) }),
    },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: "var dgamma = T(); var dbeta = T();",
      row: /* wgsl */ `
    let base = (params.firstImage + ${pixels > 1 ? "row / params.pixels" : "row"})${groups > 1 ? " * params.groups" : ""};
    ${statistics}
    let dy = load_dy(at);
    dgamma += dy * (load_x(at) - mean) * scale;
    dbeta += dy;`,
      end: /* wgsl */ `
    let to = (params.firstPartial + partialIndex) * params.columns + column;
    store_dgamma(to, dgamma);
    store_dbeta(to, dbeta);`,
    }),
  });
}
