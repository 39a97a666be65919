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
 * are all this.
 */
export function copyStrided(target: KernelTarget, { axes, from, to }: StridedBox, uint: boolean): Kernel {
  const merged = mergedAxes(axes);
  const inner = merged.at(-1) ?? { extent: 1, from: 1, to: 1 };
  const outer = merged.slice(0, -1);
  const together = inner.from === 1 && inner.to === 1;
  const strides = outer.flatMap((axis) => [axis.from, axis.to]);
  const lane = laneFor(...(together ? [inner.extent, from, to, ...strides] : [1]));
  const lanes = lane.width;
  const widest = target.maxWorkgroupsPerDimension * LANES * lanes;
  if (
    together &&
    !uint &&
    outer.length === 1 &&
    inner.extent <= widest &&
    canBeRows(outer[0], inner, from, to)
  ) {
    const [row] = outer;
    const [source, result] = [row.from, row.to].map((width, i) => ({ width, begin: i === 0 ? from : to }));
    return copyChannels(target, row.extent, inner.extent, source, result);
  }
  const all = [...outer, inner].map((axis, i) =>
    i === outer.length
      ? { extent: axis.extent / lanes, from: axis.from, to: axis.to }
      : { extent: axis.extent, from: axis.from / lanes, to: axis.to / lanes },
  );
  const count = all.reduce((product, { extent }) => product * extent, 1);
  const type = uint ? lane.uint : lane.float;
  return perItemKernel(target, count, {
    label: "copy_strided",
    read: { x: `array<${type}>` },
    write: { y: `array<${type}>` },
    params: { sourceBegin: u32(from / lanes), resultBegin: u32(to / lanes) },
    body: /* wgsl */ `${placesText(all)}
  store_y(params.resultBegin + result, load_x(params.sourceBegin + source));`,
  });
}

/** Whether a box lies in rows of channels as {@link copyChannels} takes them: no row begins in one and ends in the next. */
const canBeRows = (row: StridedAxis, { extent }: StridedAxis, from: number, to: number): boolean =>
  row.extent > 1 && from + extent <= row.from && to + extent <= row.to;

/**
 * WGSL that declares `source` and `result`, the places of number `index` of a box. Extents and strides are in the text, where a compiler makes a
 * product of a quotient.
 */
function placesText(axes: readonly StridedAxis[]): string {
  const lines: string[] = [];
  const terms: Record<"from" | "to", string[]> = { from: [], to: [] };
  let rest = "index";
  [...axes].reverse().forEach((axis, i) => {
    const isLast = i === axes.length - 1;
    if (!isLast) lines.push(`let rest${i} = ${rest} / ${axis.extent}u;`);
    lines.push(`let at${i} = ${isLast ? rest : `${rest} - rest${i} * ${axis.extent}u`};`);
    rest = `rest${i}`;
    for (const side of ["from", "to"] as const)
      terms[side].push(axis[side] === 1 ? `at${i}` : `at${i} * ${axis[side]}u`);
  });
  return `${lines.join(" ")}
  let source = ${terms.from.join(" + ")};
  let result = ${terms.to.join(" + ")};`;
}
