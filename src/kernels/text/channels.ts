/**
 * @file How kernels walk a tensor `[.., C]` channel by channel, as batch norm and bias do.
 *
 * The tensor is taken for a matrix `[rows, C]`, whose rows are pixels. Channels come in *columns* of 4 (`vec4f`), or of
 * 1 where 4 does not divide C. Rows are shared out over *slots*, and one invocation walks the rows of one slot down one
 * column: what belongs to the channel is loaded once an invocation, and a reduction needs neither a barrier nor
 * workgroup memory. It leaves one partial a slot and channel, `[slots, C]`, a matrix to be reduced again.
 *
 * Neighbouring invocations have neighbouring columns. On hardware neighbouring slots have neighbouring rows, so that a
 * subgroup reads one piece of memory even where there are few columns. On an adapter that runs on the CPU a slot is a
 * block of rows instead, which is what a CPU's cache and prefetcher are made for.
 */
import { linearGrid, linearIndex, u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";
import { laneFor } from "./lane.ts";

const SIZE = 64;
/** Fewer rows than this are not worth an invocation of their own. */
const LEAST_ROWS = 4;
/** Invocations that fill the machine: CPU cores have few lanes and starting an invocation costs them as much as a row. */
const INVOCATIONS = {
  register: { reduce: 2 ** 11, map: 2 ** 11 },
  workgroup: { reduce: 2 ** 16, map: 2 ** 18 },
} as const;

/** A walk over `[rows, channels]`: what a kernel's definition takes from it. */
export interface ChannelWalk {
  /** WGSL type of a column of a row: `T` in the text. */
  readonly type: "vec4f" | "f32";
  /** Number of slots, i.e. rows of what a reduction leaves. */
  readonly slots: number;
  readonly params: Readonly<Record<string, Uniform>>;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Shares `rows` out over at most `slots` slots, none of them empty; by default as many as fill the machine for a
 * kernel that writes every row (`"map"`) or one that leaves partials (`"reduce"`).
 */
export function channelWalk(
  target: KernelTarget,
  rows: number,
  channels: number,
  slots: number | "map" | "reduce",
): ChannelWalk {
  const { width, float } = laneFor(channels);
  const columns = channels / width;
  if (typeof slots === "string") {
    slots = Math.min(INVOCATIONS[target.family][slots] / columns, rows / LEAST_ROWS);
  }
  const rowsPerSlot = Math.ceil(rows / Math.max(1, Math.floor(slots)));
  const used = Math.ceil(rows / rowsPerSlot);
  const blocks = target.family === "register";
  const rowStride = blocks ? 1 : used;
  return {
    type: float,
    slots: used,
    params: {
      columns: u32(columns),
      rows: u32(rows),
      slots: u32(used),
      slotStride: u32(blocks ? rowsPerSlot : 1),
      rowStride: u32(rowStride),
      span: u32(rowsPerSlot * rowStride),
    },
    workgroups: linearGrid(target, used * columns, SIZE),
  };
}

/** WGSL for a walk: `start` once an invocation, with `slot` and `column`; `row` at each row, with its index `at`. */
export function walkText({ type }: ChannelWalk, text: { start: string; row: string; end?: string }): string {
  return /* wgsl */ `
alias T = ${type};

@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  let slot = index / params.columns;
  if (slot >= params.slots) { return; }
  let column = index - slot * params.columns;
  let first = slot * params.slotStride;
  let end = min(params.rows, first + params.span);
  ${text.start}
  for (var row = first; row < end; row += params.rowStride) {
    let at = row * params.columns + column;
    ${text.row}
  }
  ${text.end ?? ""}
}`;
}

/** The walks that reduce partials `[slots, channels]` to `[1, channels]`: one where that is short, otherwise two. */
export function mergeWalks(target: KernelTarget, slots: number, channels: number): ChannelWalk[] {
  if (slots <= 128) return [channelWalk(target, slots, channels, 1)];
  const half = channelWalk(target, slots, channels, Math.ceil(Math.sqrt(slots)));
  return [half, channelWalk(target, half.slots, channels, 1)];
}
