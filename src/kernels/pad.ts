import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";

/** An axis of a tensor, and what is added before and behind it. */
export interface PaddedAxis {
  readonly extent: number;
  readonly before: number;
  readonly after: number;
}

/** Neighbouring axes that nothing is added to, as one; those of extent 1 left out. */
function mergedAxes(axes: readonly PaddedAxis[]): PaddedAxis[] {
  const merged: PaddedAxis[] = [];
  const isWhole = ({ before, after }: PaddedAxis): boolean => before + after === 0;
  for (const axis of axes) {
    if (isWhole(axis) && axis.extent === 1) continue;
    const outer = merged.at(-1);
    if (outer && isWhole(axis)) {
      // What is added to an axis is added in whole lines of those within it.
      const { extent } = axis;
      const [before, after] = [outer.before * extent, outer.after * extent];
      merged.splice(-1, 1, { extent: outer.extent * extent, before, after });
    } else merged.push(axis);
  }
  return merged;
}

/** `y`: `x` with numbers `value` around it, of f32 or u32. */
export function padForward(
  target: KernelTarget,
  axes: readonly PaddedAxis[],
  value: number,
  uint: boolean,
): Kernel {
  const merged = mergedAxes(axes);
  const inner = merged.at(-1) ?? { extent: 1, before: 0, after: 0 };
  const { width, ...lane } = laneFor(inner.extent, inner.before, inner.after);
  const all = [
    ...merged.slice(0, -1),
    { extent: inner.extent / width, before: inner.before / width, after: inner.after / width },
  ];
  const type = uint ? lane.uint : lane.float;
  const lines: string[] = [];
  const [inside, terms]: [string[], string[]] = [[], []];
  let [rest, stride, count] = ["index", 1, 1];
  [...all].reverse().forEach(({ extent, before, after }, i) => {
    const whole = before + extent + after;
    const isLast = i === all.length - 1;
    if (!isLast) lines.push(`let rest${i} = ${rest} / ${whole}u;`);
    const at = isLast ? rest : `${rest} - rest${i} * ${whole}u`;
    // What lies before becomes larger than any.
    lines.push(`let at${i} = ${at} - ${before}u;`);
    if (before + after > 0) inside.push(`at${i} < ${extent}u`);
    terms.push(stride === 1 ? `at${i}` : `at${i} * ${stride}u`);
    rest = `rest${i}`;
    stride *= extent;
    count *= whole;
  });
  return perItemKernel(target, count, {
    label: "pad",
    read: { x: `array<${type}>` },
    write: { y: `array<${type}>` },
    params: { value: uint ? u32(value) : f32(value) },
    body: /* wgsl */ `${lines.join("\n  ")}
  var value = ${type}(params.value);
  if (${inside.length > 0 ? inside.join(" && ") : "true"}) { value = load_x(${terms.join(" + ")}); }
  store_y(index, value);`,
  });
}
