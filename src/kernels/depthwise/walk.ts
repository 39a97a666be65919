/**
 * @file How the kernels of a depthwise convolution walk over images. Each channel is alone, so there is no matrix product: what
 * counts is how often a pixel is loaded, which on adapters that run on the CPU costs as much as dozens of multiply-adds.
 *
 * An invocation has one lane of channels (four, or one where 4 does not divide C) and a strip of a few rows, and goes along it
 * column by column. A column that has been loaded serves all columns of results that it has a part in, whose sums are under way
 * at the same time (`inFlight`); when one is complete it is stored, and the others move up. So a pixel is loaded once, but for the
 * rows where strips overlap and the first columns of a walk, and the weights stay in registers. Neither barrier nor workgroup
 * memory. Walks go along rows, not down columns, because neighbours in a row lie in one page of memory.
 *
 * Columns may be shared out over several walks; a *unit* is one walk: an image, some of its columns, a strip.
 */
import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import type { Load } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { i32, linearGrid, linearIndex, u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";
import { laneFor } from "../text/lane.ts";
import type { Lane } from "../text/lane.ts";

/** Invocations of a workgroup: on a CPU two subgroups, so that few invocations still make work for many cores. */
const SIZE = { register: 16, workgroup: 64 } as const;

/** Invocations that fill the machine; a walk is as long as they allow, since its first columns are extra. */
const INVOCATIONS = { register: 2 ** 9, workgroup: 2 ** 16 } as const;
/** Columns under which a walk is not worth its beginning. */
const LEAST_COLUMNS = 8;

/** What is walked over: a grid of rows and columns of each image. */
export interface WalkedGrid {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

/** Where walks lie, and what a kernel's definition takes from them. */
export interface DepthwiseWalk {
  readonly lane: Lane;
  /** Walks in all. */
  readonly units: number;
  readonly params: Readonly<Record<string, Uniform>>;
}

/** Walks along strips of `strip` rows of `grid`. */
export function depthwiseWalk(target: KernelTarget, grid: WalkedGrid, strip: number): DepthwiseWalk {
  const lane = laneFor(grid.channels);
  const quads = grid.channels / lane.width;
  const strips = Math.ceil(grid.rows / strip);
  const wanted = Math.ceil(INVOCATIONS[target.family] / (grid.batch * strips * quads));
  const most = Math.max(1, Math.floor(grid.columns / LEAST_COLUMNS));
  const columnsPerWalk = Math.ceil(grid.columns / Math.min(wanted, most));
  const walks = Math.ceil(grid.columns / columnsPerWalk);
  const units = grid.batch * strips * walks;
  return {
    lane,
    units,
    params: {
      quads: u32(quads),
      units: u32(units),
      strips: u32(strips),
      walks: u32(walks),
      columnsPerWalk: i32(columnsPerWalk),
      columns: i32(grid.columns),
    },
  };
}

/** The grid of a kernel with an invocation for each of `count` units and each lane of channels. */
export const walkGroups = (
  target: KernelTarget,
  { params }: DepthwiseWalk,
  count: number,
): [number, number, number] => linearGrid(target, count * params.quads.value, SIZE[target.family]);

/** The `main` of a walking kernel: `body` for `quad`, a lane of channels, and `first`, a number below `count`. */
export const walkMain = (
  { family }: KernelTarget,
  lane: Lane,
  count: string,
  body: string,
): string => /* wgsl */ `
alias T = ${lane.float};

@compute @workgroup_size(${SIZE[family]})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE[family])}
  let first = index / params.quads;
  if (first >= ${count}) { return; }
  let quad = index - first * params.quads;
  ${body}
}`;

/** WGSL of `unit`: its `image`, `strip`, and columns from `firstColumn` to `endColumn` − 1. */
export const unitText = /* wgsl */ `
  let walk = unit / params.strips;
  let strip = i32(unit - walk * params.strips);
  let image = i32(walk / params.walks);
  let firstColumn = i32(walk - u32(image) * params.walks) * params.columnsPerWalk;
  let endColumn = min(firstColumn + params.columnsPerWalk, params.columns);`;

/** Columns of results whose windows a column of the input can lie in. */
export const inFlight = (kernel: number, stride: number): number => Math.ceil(kernel / stride);

/** The extents as uniforms. */
export const extentParams = (g: Conv2dGeometry): Record<string, Uniform> => ({
  inHeight: i32(g.inHeight),
  inWidth: i32(g.inWidth),
  outHeight: i32(g.outHeight),
  outWidth: i32(g.outWidth),
  padTop: i32(g.padTop),
  padLeft: i32(g.padLeft),
});

/** Some rows of the image `image` of a tensor, whose extents are the uniforms `<extent>Height` and `<extent>Width`. */
export interface LoadedRows {
  /** Of what is declared. */
  readonly name: string;
  readonly extent: "in" | "out";
  /** Text of the number of the first row. */
  readonly first: string;
  readonly count: number;
}

/** WGSL that declares where the rows begin, `<name>Line<i>`, and whether they are in the image, `<name>Inside<i>`. */
export const rowsText = ({ name, extent, first, count }: LoadedRows): string =>
  range(count)
    .map(
      (
        i,
      ) => `let ${name}Line${i} = (image * params.${extent}Height + clamp(${first} + ${i}, 0, params.${extent}Height - 1)) * params.${extent}Width;
  let ${name}Inside${i} = (${first} + ${i} >= 0) & (${first} + ${i} < params.${extent}Height);`,
    )
    .join("\n  ");

/** A column of {@link LoadedRows}. */
export interface LoadedColumn {
  readonly rows: LoadedRows;
  /** Text of the column's number. */
  readonly column: string;
  /** Text of the condition that the column counts, besides that it is in the image. */
  readonly where?: string;
  readonly load: Load;
  /** Of the declared values: `<name><i>` for each row, zero outside the image. */
  readonly name: string;
}

/** WGSL that loads a column of pixels. */
export function columnText({ rows, column, where, load, name }: LoadedColumn): string {
  const id = (i: number): string => `_${name}${i}`;
  const width = `params.${rows.extent}Width`;
  return /* wgsl */ `let ${name}Column = ${column};
    let ${name}Counts = (${name}Column >= 0) & (${name}Column < ${width})${where ? ` & (${where})` : ""};
    let ${name}At = clamp(${name}Column, 0, ${width} - 1);
    ${range(rows.count)
      .map(
        (i) => `${load.pixel(`u32(${rows.name}Line${i} + ${name}At)`, id(i))}
    let ${name}${i} = select(T(), ${load.value("quad", id(i))}, ${rows.name}Inside${i} & ${name}Counts);`,
      )
      .join("\n    ")}`;
}
