/**
 * @file How kernels walk a tensor `[.., C]` channel by channel, as batch norm and bias do.
 *
 * The tensor is taken for a matrix `[rows, C]`, whose rows are pixels. Channels come in *columns* of 4 (`vec4f`), or of
 * 1 where 4 does not divide C. Rows are shared out over *partials*, and one invocation walks the rows of one partial down one
 * column: what belongs to the channel is loaded once an invocation, and a reduction needs neither a barrier nor
 * workgroup memory. It leaves one partial a partial and channel, `[partials, C]`, a matrix to be reduced again.
 *
 * Neighbouring invocations have neighbouring columns. On hardware neighbouring partials have neighbouring rows, so that a
 * subgroup reads one piece of memory even where there are few columns. On an adapter that runs on the CPU a partial is a
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
  /** Number of partials, i.e. rows of what a reduction leaves. */
  readonly partialCount: number;
  readonly params: Readonly<Record<string, Uniform>>;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Shares `rows` out over at most `partials` partials, none of them empty; by default as many as fill the machine for a
 * kernel that writes every row (`"map"`) or one that leaves partials (`"reduce"`).
 */
export function channelWalk(
  target: KernelTarget,
  rows: number,
  channels: number,
  partialCount: number | "map" | "reduce",
): ChannelWalk {
  const { width, float } = laneFor(channels);
  const columns = channels / width;
  if (typeof partialCount === "string") {
    partialCount = Math.min(INVOCATIONS[target.family][partialCount] / columns, rows / LEAST_ROWS);
  }
  const rowsPerPartial = Math.ceil(rows / Math.max(1, Math.floor(partialCount)));
  const used = Math.ceil(rows / rowsPerPartial);
  const blocks = target.family === "register";
  const rowStride = blocks ? 1 : used;
  return {
    type: float,
    partialCount: used,
    params: {
      columns: u32(columns),
      rows: u32(rows),
      partialCount: u32(used),
      partialStride: u32(blocks ? rowsPerPartial : 1),
      rowStride: u32(rowStride),
      span: u32(rowsPerPartial * rowStride),
    },
    workgroups: linearGrid(target, used * columns, SIZE),
  };
}

/** WGSL for a walk: `start` once an invocation, with `partialIndex` and `column`; `row` at each row, with its index `at`. */
export function walkText({ type }: ChannelWalk, text: { start: string; row: string; end?: string }): string {
  return /* wgsl */ `
alias T = ${type};

@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  let partialIndex = index / params.columns;
  if (partialIndex >= params.partialCount) { return; }
  let column = index - partialIndex * params.columns;
  let first = partialIndex * params.partialStride;
  let end = min(params.rows, first + params.span);
  ${text.start}
  for (var row = first; row < end; row += params.rowStride) {
    let at = row * params.columns + column;
    ${text.row}
  }
  ${text.end ?? ""}
}`;
}

/** The walks that reduce partials `[partials, channels]` to `[1, channels]`: one where that is short, otherwise two. */
export function mergeWalks(target: KernelTarget, partialCount: number, channels: number): ChannelWalk[] {
  if (partialCount <= 128) return [channelWalk(target, partialCount, channels, 1)];
  const half = channelWalk(target, partialCount, channels, Math.ceil(Math.sqrt(partialCount)));
  return [half, channelWalk(target, half.partialCount, channels, 1)];
}
