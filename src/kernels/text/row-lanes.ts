/**
 * @file How kernels reduce each row of `[rows, length]` where a row is short, such as a pixel's logits.
 *
 * A few neighbouring lanes of one subgroup share a row: lane l takes the values l, l + lanes, l + 2 · lanes, so that
 * their loads lie side by side, holds them in registers for as many passes as the kernel makes, and what the lanes have
 * found is brought together by shuffles. Nothing goes through workgroup memory and there is no barrier. Without
 * subgroups one invocation takes a whole row. Rows too long to be held are read again at each pass, from the cache.
 */
import { linearGrid, linearIndex } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";

/** How rows of one length are shared out. */
export interface RowLanes {
  /** Lanes a row, a power of two. */
  readonly lanes: number;
  /** Values that each lane holds in variables `value0`, `value1`, ..; 0 when it reads them again at each pass. */
  readonly held: number;
  /** Invocations a workgroup; with more than one lane a row it is one subgroup. */
  readonly size: number;
}

/**
 * `perLane`: values a lane should have where subgroups are large enough. Hardware wants many lanes, whose loads make one
 * piece of memory; for a CPU a shuffle costs as much as a few loads. `held`: the most that are held; CPU drivers compile
 * long texts for seconds.
 */
const VALUES = {
  register: { perLane: 16, held: 16 },
  workgroup: { perLane: 4, held: 64 },
} as const;
/** Workgroups that fill the machine; each walks over the rows. */
const WORKGROUPS = 2 ** 14;
const SIZE_ALONE = 64;

/** Shares out rows of `length` values. */
export function rowLanes({ family, subgroupSize }: KernelTarget, length: number): RowLanes {
  const { perLane, held } = VALUES[family];
  let lanes = 1;
  while (lanes < subgroupSize && lanes * perLane < length) lanes *= 2;
  const values = Math.ceil(length / lanes);
  return { lanes, held: values <= held ? values : 0, size: lanes > 1 ? subgroupSize : SIZE_ALONE };
}

/** Workgroups for `rows` rows; {@link rowMain} is its other half in WGSL. */
export function rowGrid(
  target: KernelTarget,
  { lanes, size }: RowLanes,
  rows: number,
): [number, number, number] {
  if (lanes === 1) return linearGrid(target, rows, size);
  return [Math.min(Math.ceil((rows * lanes) / size), WORKGROUPS, target.maxWorkgroupsPerDimension), 1, 1];
}

/** `enable subgroups;` where lanes share a row. */
export const rowEnable = ({ lanes }: RowLanes): string => (lanes > 1 ? "enable subgroups;" : "");

/**
 * The `main` of a kernel under {@link rowGrid}: runs `body` for each `row` below `params.rows`, at every `lane` of it. As
 * shuffles need all lanes, `body` also runs where there is no row left, on the last one again with `inside` false: it
 * must then store nothing.
 */
export function rowMain({ lanes, size }: RowLanes, body: string): string {
  if (lanes === 1) {
    return /* wgsl */ `
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(size)}
  if (index >= params.rows) { return; }
  let row = index;
  let lane = 0u;
  let inside = true;
  ${body}
}`;
  }
  return /* wgsl */ `
@compute @workgroup_size(${size})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % ${lanes}u;
  for (var first = group.x * ${size / lanes}u; first < params.rows; first += groups.x * ${size / lanes}u) {
    let inside = first + invocation / ${lanes}u < params.rows;
    let row = min(first + invocation / ${lanes}u, params.rows - 1u);
    ${body}
  }
}`;
}

/**
 * WGSL that loads the lane's values from `source`, from element `begin` on (a variable of the text), if they are held.
 * `params.extent` is the length of a row. `type`: what an element is.
 */
export function holdRow(layout: RowLanes, source: string, type: "f32" | "vec4f" = "f32"): string {
  const zero = type === "f32" ? "0.0" : "vec4f()";
  return heldText(layout, (k, i) => `value${k} = load_${source}(begin + ${i});`, zero);
}

/**
 * WGSL of one pass over the lane's values: `text(value, i)` for each, where `value` is held or `source` again and `i` is
 * its index in the row. A held value may be assigned to.
 */
export function eachOfRow(
  layout: RowLanes,
  source: string,
  text: (value: string, i: string) => string,
): string {
  if (layout.held > 0) return heldText(layout, (k, i) => text(`value${k}`, i));
  return `for (var i = lane; i < params.extent; i += ${layout.lanes}u) { ${text(`load_${source}(begin + i)`, "i")} }`;
}

/** The text for each held value, declared first as `declared` where that is given; at the last one not every lane has a value. */
function heldText(
  { lanes, held: count }: RowLanes,
  text: (k: number, i: string) => string,
  declared?: string,
): string {
  return Array.from({ length: count }, (_, k) => {
    const i = lanes === 1 ? `${k}u` : `lane + ${k * lanes}u`;
    const guarded = lanes > 1 && k === count - 1;
    const declaration = declared === undefined ? "" : `var value${k} = ${declared};\n`;
    return declaration + (guarded ? `if (${i} < params.extent) { ${text(k, i)} }` : text(k, i));
  }).join("\n");
}

/**
 * WGSL that brings the lanes' values of `variable` together, so that all have `combine` of them all; the order depends
 * on nothing but the number of lanes.
 */
export function reduceRow(
  { lanes }: RowLanes,
  variable: string,
  combine: (a: string, b: string) => string,
): string {
  let text = "";
  for (let mask = 1; mask < lanes; mask *= 2) {
    text += `${variable} = ${combine(variable, `subgroupShuffleXor(${variable}, ${mask}u)`)};\n`;
  }
  return text;
}
