/**
 * @file How the kernels of a depthwise convolution walk over images. Each channel is alone, so there is no matrix product: what
 * counts is how often a pixel is loaded, which on adapters that run on the CPU costs as much as dozens of multiply-adds.
 *
 * An invocation has one lane of channels (four, or one where 4 does not divide C) and a strip of a few columns, and goes down it
 * row by row. A row that has been loaded serves all rows of results that it has a part in, whose sums are under way at the same
 * time (`inFlight`); when one is complete it is stored, and the others move up. So a pixel is loaded once, but for the columns
 * where strips overlap and the first rows of a walk, and the weights stay in registers. Neither barrier nor workgroup memory.
 *
 * Rows may be shared out over several walks; a *unit* is one walk: an image, some of its rows, a strip.
 */
import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { range } from "../conv2d/register-tile.ts";
import { i32, linearGrid, linearIndex, u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";
import { laneFor } from "../text/lane.ts";
import type { Lane } from "../text/lane.ts";

const SIZE = 64;

/** Invocations that fill the machine; a walk is as long as they allow, since its first rows are extra. */
const INVOCATIONS = { register: 2 ** 9, workgroup: 2 ** 16 } as const;
/** Rows under which a walk is not worth its beginning. */
const LEAST_ROWS = 8;

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

/** Walks down strips of `strip` columns of `grid`. */
export function depthwiseWalk(target: KernelTarget, grid: WalkedGrid, strip: number): DepthwiseWalk {
  const lane = laneFor(grid.channels);
  const quads = grid.channels / lane.width;
  const strips = Math.ceil(grid.columns / strip);
  const wanted = Math.ceil(INVOCATIONS[target.family] / (grid.batch * strips * quads));
  const most = Math.max(1, Math.floor(grid.rows / LEAST_ROWS));
  const rowsPerWalk = Math.ceil(grid.rows / Math.min(wanted, most));
  const walks = Math.ceil(grid.rows / rowsPerWalk);
  const units = grid.batch * strips * walks;
  return {
    lane,
    units,
    params: {
      quads: u32(quads),
      units: u32(units),
      strips: u32(strips),
      walks: u32(walks),
      rowsPerWalk: i32(rowsPerWalk),
      rows: i32(grid.rows),
    },
  };
}

/** The grid of a kernel with an invocation for each of `count` units and each lane of channels. */
export const walkGroups = (
  target: KernelTarget,
  { params }: DepthwiseWalk,
  count: number,
): [number, number, number] => linearGrid(target, count * params.quads.value, SIZE);

/** The `main` of a walking kernel: `body` for `quad`, a lane of channels, and `first`, a number below `count`. */
export const walkMain = (lane: Lane, count: string, body: string): string => /* wgsl */ `
alias T = ${lane.float};

@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  let first = index / params.quads;
  if (first >= ${count}) { return; }
  let quad = index - first * params.quads;
  ${body}
}`;

/** WGSL of `unit`: its `image`, `strip`, and rows from `firstRow` to `endRow` − 1. */
export const unitText = /* wgsl */ `
  let walk = unit / params.strips;
  let strip = i32(unit - walk * params.strips);
  let image = i32(walk / params.walks);
  let firstRow = i32(walk - u32(image) * params.walks) * params.rowsPerWalk;
  let endRow = min(firstRow + params.rowsPerWalk, params.rows);`;

/** Multiply-adds a row of results: more of them compile for many seconds on lavapipe. */
const MOST_PRODUCTS = 50;

/** Columns of results that an invocation has at a time: few, where the kernel is large. */
export const stripOf = ({ kernelHeight, kernelWidth }: Conv2dGeometry): number =>
  Math.min(4, Math.max(1, Math.floor(MOST_PRODUCTS / (kernelHeight * kernelWidth))));

/** Rows of results whose windows a row of the input can lie in. */
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

/** WGSL that declares columns `first` and following of an image `width` wide: `<name>Column<i>`, and `<name>Inside<i>`. */
export const columnsText = (name: string, first: string, count: number, width: string): string =>
  range(count)
    .map(
      (i) => `let ${name}Column${i} = u32(clamp(${first} + ${i}, 0, ${width} - 1));
  let ${name}Inside${i} = ${first} + ${i} >= 0 && ${first} + ${i} < ${width};`,
    )
    .join("\n  ");

/** A row of an image, of which the columns of {@link columnsText} are loaded. */
export interface RowText {
  /** Of {@link columnsText}. */
  readonly columns: string;
  readonly count: number;
  /** Text of the row's number. */
  readonly row: string;
  /** Text of the condition that the row counts, besides that it is in the image. */
  readonly where?: string;
  readonly height: string;
  readonly width: string;
  /** Of the declared values: `<name><i>`, zero outside the image. */
  readonly name: string;
  readonly pixel: (pixel: string, id: string) => string;
  readonly value: (id: string) => string;
}

/** WGSL that loads a row of pixels. */
export function rowText({ columns, count, row, where, height, width, name, pixel, value }: RowText): string {
  const id = (i: number): string => `_${name}${i}`;
  const inside = `${name}Row >= 0 && ${name}Row < ${height}${where ? ` && ${where}` : ""}`;
  return /* wgsl */ `let ${name}Row = ${row};
    let ${name}Counts = ${inside};
    let ${name}Line = u32((image * ${height} + clamp(${name}Row, 0, ${height} - 1)) * ${width});
    ${range(count)
      .map(
        (i) => `${pixel(`(${name}Line + ${columns}Column${i})`, id(i))}
    let ${name}${i} = select(T(), ${value(id(i))}, ${columns}Inside${i} && ${name}Counts);`,
      )
      .join("\n    ")}`;
}

/** Taps of the kernel that a row of the input meets: row `step` of those that are loaded a turn, with the results `slot` on. */
export interface RowTaps {
  readonly step: number;
  readonly slot: number;
  readonly ky: number;
}

/**
 * Of a walk down the output: at its turn for output row `o` the last `stride` rows of that row's window are loaded, steps
 * 0 to stride − 1. Which of them meet which row of the kernel in the output rows `o + slot`.
 */
export const tapsOfTurn = (kernel: number, stride: number): RowTaps[] =>
  range(stride).flatMap((step) =>
    range(inFlight(kernel, stride)).flatMap((slot) => {
      const ky = kernel - stride + step - slot * stride;
      return ky >= 0 ? [{ step, slot, ky }] : [];
    }),
  );
