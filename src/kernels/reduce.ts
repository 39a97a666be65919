import { defineKernel, f32, linearGrid, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { mergeAxes, shapeOfItems, valueText, walkText } from "./text/value.ts";
import type { Chain } from "./text/value.ts";

/** What is made of many numbers: what none of them gives, and of two. The largest and smallest f32 stand for infinity. */
const REDUCTIONS = {
  sum: ["0.0", "a + b"],
  prod: ["1.0", "a * b"],
  max: ["-0x1.fffffep+127", "max(a, b)"],
  min: ["0x1.fffffep+127", "min(a, b)"],
} as const;

export type ReductionKind = keyof typeof REDUCTIONS;

/** Numbers that are combined before what they give is combined with others: short chains, small error. */
const BLOCK = 16;
/** Invocations that have enough to do beside each other, on hardware and on a CPU. */
const ENOUGH = { workgroup: 2 ** 17, register: 2 ** 12 };
const MOST_LANES = 256;
const MOST_PARTS = 1024;
const SIZE = 64;

/** How a reduction is laid out: what is combined, over which axes, by whom. */
export interface ReductionLayout {
  /** Results, and numbers that become one of them, in lanes of `width`. */
  readonly kept: number;
  readonly reduced: number;
  readonly width: 4 | 1;
  /** Whether neighbouring numbers become one; otherwise neighbouring results have neighbouring numbers. */
  readonly inner: boolean;
  /** Invocations of one workgroup that share what they found. */
  readonly lanes: number;
  /** Partial results that each result is brought to. */
  readonly parts: number;
}

/**
 * Lays out the reduction of a chain's values over `axes`. In one dispatch (`parts` 1) where there are results enough, or with `whole`;
 * otherwise its partial results, `[kept, parts]` where `inner` and `[parts, kept]` where not, are to be reduced again.
 */
export function reductionLayout(
  { family, maxInvocations }: Pick<KernelTarget, "family" | "maxInvocations">,
  chain: Chain,
  axes: readonly number[],
  { whole = false }: { whole?: boolean } = {},
): ReductionLayout {
  const merged = mergeAxes(shapeOfItems(chain), (axis) => axes.includes(axis));
  const inner = merged[0]?.marked ?? true;
  const { width } = valueText(chain, (merged[0]?.extent ?? 1) % 4 === 0);
  const count = (marked: boolean): number =>
    merged.reduce((product, axis) => (axis.marked === marked ? product * axis.extent : product), 1) /
    (inner === marked ? width : 1);
  const [kept, reduced] = [count(false), count(true)];
  const shared = inner && family === "workgroup" ? Math.min(MOST_LANES, maxInvocations, reduced) : 1;
  const lanes = 2 ** Math.floor(Math.log2(shared));
  const wanted = Math.ceil(ENOUGH[family] / (kept * lanes));
  const most = Math.min(MOST_PARTS, Math.floor(reduced / (lanes * BLOCK)));
  return { kept, reduced, width, inner, lanes, parts: whole ? 1 : Math.max(1, Math.min(wanted, most)) };
}

/** Where results begin in `y`, or parts among those of other dispatches, and what results are multiplied by. */
export interface ReductionOptions {
  readonly from?: number;
  readonly begin?: number;
  readonly total?: number;
  readonly scale?: number;
}

/**
 * `y`: the values of a chain reduced over `axes`, `[kept]`, or `parts` partial results of each, from part `begin` of `total` on; or from
 * result `from` on. Equal numbers give equal results: the order of the operations depends on shapes and adapter alone. A sum is multiplied by
 * `scale`.
 */
export function reduce(
  target: KernelTarget,
  kind: ReductionKind,
  chain: Chain,
  axes: readonly number[],
  layout: ReductionLayout,
  { from = 0, begin = 0, total = layout.parts, scale = 1 }: ReductionOptions = {},
): Kernel {
  const { kept, reduced, width, inner, lanes, parts } = layout;
  const { params, functions, read } = valueText(chain, width === 4);
  const [none, both] = REDUCTIONS[kind];
  const merged = mergeAxes(shapeOfItems(chain), (axis) => axes.includes(axis)).map((axis, i) =>
    i === 0 ? { ...axis, extent: axis.extent / width } : axis,
  );
  const strides = merged.map((_, i) =>
    merged.slice(0, i).reduce((product, { extent }) => product * extent, 1),
  );
  const offset = (index: string, marked: boolean): string =>
    walkText(
      index,
      merged.filter((axis) => axis.marked === marked),
      () => true,
      strides.filter((_, i) => merged[i].marked === marked),
    );
  const count = kept * parts;
  const first = inner ? from + begin : from / width + begin * kept;
  const loop = /* wgsl */ `let step = params.parts * ${lanes}u;
  let base = ${offset("at", false)};
  var all = T(${none});
  for (var block = first; block < params.reduced; block += ${BLOCK}u * step) {
    let end = min(block + ${BLOCK}u * step, params.reduced);
    var some = T(${none});
    for (var i = block; i < end; i += step) { some = both(some, T(value(base + ${offset("i", true)}))); }
    all = both(all, some);
  }
  let one = ${inner && width === 4 ? "two(two(all.x, all.y), two(all.z, all.w))" : "all"};`;
  const store = (value: string): string =>
    `store_y(params.begin + ${inner ? "at * params.total + part" : "part * params.kept + at"}, ` +
    `${value}${kind === "sum" ? " * params.scale" : ""});`;
  // Of a workgroup all lanes work at one part of one result.
  const item = lanes > 1 ? "group" : "index";
  const place = inner
    ? `let at = ${item} / params.parts;\n  let part = ${item} % params.parts;`
    : `let at = ${item} % params.kept;\n  let part = ${item} / params.kept;`;
  const head = `fn both(a: T, b: T) -> T { return ${both}; }
fn two(a: f32, b: f32) -> f32 { return ${both}; }
`;
  const alone = /* wgsl */ `@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * ${SIZE}u + id.x;
  if (index >= params.count) { return; }
  ${place}
  let first = part;
  ${loop}
  ${store("one")}
}`;
  const together = /* wgsl */ `var<workgroup> shared_ones: array<f32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32) {
  let group = id.y * groups.x + id.x;
  if (group >= params.count) { return; }
  ${place}
  let first = part * ${lanes}u + lane;
  ${loop}
  shared_ones[lane] = one;
  for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shared_ones[lane] = two(shared_ones[lane], shared_ones[lane + half]); }
  }
  if (lane == 0u) { ${store("shared_ones[0]")} }
}`;
  return defineKernel({
    label: `reduce_${kind}`,
    read,
    write: { y: `array<${!inner && width === 4 ? "vec4f" : "f32"}>` },
    params: {
      ...{ count: u32(count), kept: u32(kept), reduced: u32(reduced), parts: u32(parts) },
      ...{ begin: u32(first), total: u32(total), ...(kind === "sum" && { scale: f32(scale) }) },
      ...params,
    },
    workgroups: linearGrid(target, count, lanes > 1 ? 1 : SIZE),
    body: functions + head + (lanes > 1 ? together : alone),
  });
}
