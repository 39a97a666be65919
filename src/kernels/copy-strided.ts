import { copyChannels } from "./copy-channels.ts";
import { LANES } from "./text/channel-grid.ts";
import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";

/** An axis of a box of numbers: how many there are along it, and how far apart they lie in `x` and in `y`. */
export interface StridedAxis {
  readonly extent: number;
  readonly from: number;
  readonly to: number;
}

/** Numbers that lie in a box of `x`, outermost axis first, and go to one of `y`, whose first numbers are those numbered `from` and `to`. */
export interface StridedBox {
  readonly axes: readonly StridedAxis[];
  readonly from: number;
  readonly to: number;
}

/** Axes that are one in both tensors, as one; those of extent 1 left out. */
function mergedAxes(axes: readonly StridedAxis[]): StridedAxis[] {
  const merged: StridedAxis[] = [];
  for (const axis of axes) {
    if (axis.extent === 1) continue;
    const outer = merged.at(-1);
    const follows = outer?.from === axis.from * axis.extent && outer.to === axis.to * axis.extent;
    if (outer && follows) merged.splice(-1, 1, { ...axis, extent: outer.extent * axis.extent });
    else merged.push(axis);
  }
  return merged;
}

/**
 * Copies a box of `x` to one of `y`, of f32 or u32; the other numbers of `y` are left as they are. Transposition, concatenation and slicing
 * are all this. Shapes are in the text, where a compiler makes a product of a quotient, but for rows of channels.
 */
export function copyStrided(target: KernelTarget, { axes, from, to }: StridedBox, uint: boolean): Kernel {
  const merged = mergedAxes(axes);
  const inner = merged.at(-1) ?? { extent: 1, from: 1, to: 1 };
  const outer = merged.slice(0, -1);
  const together = inner.from === 1 && inner.to === 1;
  if (together && !uint && outer.length === 1 && canBeRows(target, outer[0], inner, from, to)) {
    const [row] = outer;
    const [source, result] = [row.from, row.to].map((width, i) => ({ width, begin: i === 0 ? from : to }));
    return copyChannels(target, row.extent, inner.extent, source, result);
  }
  const along = outer.find((axis) => axis.from === 1);
  if (!together && inner.to === 1 && along) {
    const others = outer.filter((axis) => axis !== along);
    const strides = [inner.from, along.to, ...others.flatMap((axis) => [axis.from, axis.to])];
    const lane = laneFor(inner.extent, along.extent, from, to, ...strides);
    if (lane.width === 4) return turnBlocks(target, { others, along, inner, from, to }, uint);
  }
  const lane = laneFor(
    ...(together ? [inner.extent, from, to, ...outer.flatMap((axis) => [axis.from, axis.to])] : [1]),
  );
  const { width } = lane;
  const all = [
    ...outer.map((axis) => ({ extent: axis.extent, from: axis.from / width, to: axis.to / width })),
    { ...inner, extent: inner.extent / width },
  ];
  const type = uint ? lane.uint : lane.float;
  return perItemKernel(target, sizeOf(all), {
    label: "copy_strided",
    read: { x: `array<${type}>` },
    write: { y: `array<${type}>` },
    params: { sourceBegin: u32(from / width), resultBegin: u32(to / width) },
    body: /* wgsl */ `${placesText(all)}
  store_y(params.resultBegin + result, load_x(params.sourceBegin + source));`,
  });
}

/** Whether a box lies in rows of channels as {@link copyChannels} takes them: no row begins in one and ends in the next. */
function canBeRows(
  { maxWorkgroupsPerDimension }: KernelTarget,
  row: StridedAxis,
  { extent }: StridedAxis,
  from: number,
  to: number,
): boolean {
  const narrow = extent <= maxWorkgroupsPerDimension * LANES;
  return narrow && row.extent > 1 && from + extent <= row.from && to + extent <= row.to;
}

/** A box whose `along` axis lies in `x` as `inner` does in `y`: number by number. */
interface TurnedBox {
  readonly others: readonly StridedAxis[];
  readonly along: StridedAxis;
  readonly inner: StridedAxis;
  readonly from: number;
  readonly to: number;
}

/** Copies blocks of 4 × 4, transposed on their way; all extents and strides come in fours. */
function turnBlocks(
  target: KernelTarget,
  { others, along, inner, from, to }: TurnedBox,
  uint: boolean,
): Kernel {
  const blocks = [
    ...others.map((axis) => ({ extent: axis.extent, from: axis.from / 4, to: axis.to / 4 })),
    { extent: along.extent / 4, from: 1, to: along.to },
    { extent: inner.extent / 4, from: inner.from, to: 1 },
  ];
  const lane = laneFor(4);
  const type = uint ? lane.uint : lane.float;
  const four = [0, 1, 2, 3];
  return perItemKernel(target, sizeOf(blocks), {
    label: "copy_turned",
    read: { x: `array<${type}>` },
    write: { y: `array<${type}>` },
    params: { sourceBegin: u32(from / 4), resultBegin: u32(to / 4) },
    body: /* wgsl */ `${placesText(blocks)}
  ${four.map((i) => `let line${i} = load_x(params.sourceBegin + source + ${(i * inner.from) / 4}u);`).join("\n  ")}
  ${four
    .map(
      (i) =>
        `store_y(params.resultBegin + result + ${(i * along.to) / 4}u, ${type}(${four.map((j) => `line${j}[${i}]`).join(", ")}));`,
    )
    .join("\n  ")}`,
  });
}

const sizeOf = (axes: readonly StridedAxis[]): number =>
  axes.reduce((product, { extent }) => product * extent, 1);

/** WGSL that declares `source` and `result`, the places of number `index` of a box. */
function placesText(axes: readonly StridedAxis[]): string {
  const lines: string[] = [];
  const [sources, results]: [string[], string[]] = [[], []];
  let rest = "index";
  [...axes].reverse().forEach((axis, i) => {
    const isLast = i === axes.length - 1;
    if (!isLast) lines.push(`let rest${i} = ${rest} / ${axis.extent}u;`);
    lines.push(`let at${i} = ${isLast ? rest : `${rest} - rest${i} * ${axis.extent}u`};`);
    rest = `rest${i}`;
    sources.push(axis.from === 1 ? `at${i}` : `at${i} * ${axis.from}u`);
    results.push(axis.to === 1 ? `at${i}` : `at${i} * ${axis.to}u`);
  });
  return `${lines.join(" ")}
  let source = ${sources.join(" + ")};
  let result = ${results.join(" + ")};`;
}
