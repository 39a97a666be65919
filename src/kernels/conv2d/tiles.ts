/**
 * @file In which tiles a matrix product may be computed: a short list for every product, the default first. All of them give
 * right results, so which one is taken is a matter of speed, and may be found by timing them on the adapter. The last bits
 * may differ: partial sums and moments are of other pixels.
 */
import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import type { Tile, TileOperand, TileRequest } from "../tiling.ts";
import { matrixBytes, matrixTile } from "./matrix-tile.ts";
import { canOwnFours, registerTile } from "./register-tile.ts";
import type { SlabTile } from "./slab.ts";
import { workgroupTile } from "./workgroup-tile.ts";

/** So many workgroups keep the cores of a computer busy, and so many a large GPU. */
const ENOUGH_WORKGROUPS = { register: 64, workgroup: 256, matrix: 256 } as const;

/** Whether a product sums over pixels. */
const byWeights = ({ kind }: TileRequest): boolean => kind === "backwardWeights";

/** The tile that `target` chooses for a product, or the default. */
export function tileOf(target: KernelTarget, request: TileRequest): Tile {
  const candidates = tileCandidates(target, request);
  const chosen = target.tileFor?.(request);
  return candidates.find((tile) => chosen && sameTile(tile, chosen)) ?? candidates[0];
}

export const sameTile = (a: Tile, b: Tile): boolean =>
  a.rows === b.rows && a.columns === b.columns && a.steps === b.steps && a.workgroups === b.workgroups;

/** For people: `64×64, 16 steps, 256 workgroups`. */
export function describeTile({ rows, columns, steps, workgroups }: Tile): string {
  const parts = [`${rows}×${columns}`];
  if (steps !== undefined) parts.push(`${steps} steps`);
  if (workgroups !== undefined) parts.push(`${workgroups} workgroups`);
  return parts.join(", ");
}

/** `x+norm×4`. */
const operandText = ({ buffers, width }: TileOperand): string => `${buffers.join("+")}×${width}`;

/**
 * Names the products that are near enough to share a tile: rows, columns and depth rounded up to powers of two, all else
 * equal. Records of measurements and of runs hold these names.
 */
export function tileGroup(request: TileRequest): string {
  const { family, kind, taps, phases, layers, half, left, right, store } = request;
  const loads = [left, ...(right ? [right] : [])].map(operandText).join(" ");
  const [rows, columns, depth] = [request.rows, request.columns, request.depth].map(
    (extent) => 2 ** Math.ceil(Math.log2(extent)),
  );
  return `${family} ${PRODUCT_LABEL[kind]} ${rows}×${columns}×${depth} taps ${taps} phases ${phases} layers ${layers} ${loads} → ${operandText(store)}${half === true ? " f16" : ""}`;
}

/**
 * The tiles that suit a product and the adapter: the default first, which is that which is shipped for the adapter if it is among
 * them, and then those that differ from the usual one in one thing at a time. There is none only for matrices, where the adapter does not have them.
 */
export function tileCandidates(target: KernelTarget, request: TileRequest): readonly Tile[] {
  const tiles = TILES[request.family](target, request);
  if (tiles.length === 0) return [];
  const [usual] = tiles;
  const enough = ENOUGH_WORKGROUPS[request.family];
  const all = byWeights(request)
    ? [
        ...tiles.map((tile) => ({ ...tile, workgroups: enough })),
        ...[enough / 4, enough * 4].map((workgroups) => ({ ...usual, workgroups })),
      ]
    : tiles;
  const shipped = target.shippedTile?.(request);
  const ordered = shipped ? [...all.filter((tile) => sameTile(tile, shipped)), ...all] : all;
  return ordered.filter((tile, i) => ordered.findIndex((other) => sameTile(tile, other)) === i);
}

/** Sums of a few steps leave most of a matrix empty. */
const SHORTEST_DEPTH = 5;

/** A product's request, with the family of kernels that suits it. */
export function requestFor<Product extends Omit<TileRequest, "family">>(
  target: KernelTarget,
  product: Product,
): Product & Pick<TileRequest, "family"> {
  const matrix = { ...product, family: "matrix" as const };
  const suitable =
    target.family === "workgroup" &&
    (product.half === true || target.subgroupMatrix?.component === "f32") &&
    product.depth >= SHORTEST_DEPTH &&
    matrixTiles(target, matrix).length > 0;
  return suitable ? matrix : { ...product, family: target.family };
}

/**
 * 16 × 32, the default, is as much as lavapipe runs a turn of from what a core keeps decoded. Where the left operand is staged (see
 * tap-product-register.ts) a tile is twice as wide, and loads half of it for what it multiplies. By weights, where lanes own rows in
 * fours, there are as many rows as they all own, and a turn is one pixel. 32 × 64 and two pixels a turn suit cores that keep more decoded:
 * they are up to 1.2 times as fast there, and compile half as long again. Without subgroups every lane loads the values of all rows, so
 * there are 4. Larger ones are for subgroups of 8 lanes or more, as lavapipe's: SwiftShader, with 4, took minutes to compile them.
 */
function registerTiles(target: KernelTarget, request: TileRequest): Tile[] {
  const { subgroupSize } = target;
  const inFours = byWeights(request) && request.left.width === 4 && canOwnFours(target);
  const eight = subgroupSize >= 8;
  // Storing one value at a time takes so much code that a wide tile of it compiles for seconds.
  const wide =
    eight &&
    request.columns > 32 &&
    request.left.width === 4 &&
    request.store.width === 4 &&
    !byWeights(request);
  type Size = readonly [rows: number, columns: number, steps?: number];
  const sizes: readonly Size[] =
    subgroupSize < 4
      ? [[4, 32]]
      : inFours
        ? [[4 * subgroupSize, 32], ...(eight ? ([[4 * subgroupSize, 32, 2]] as const) : [])]
        : [
            ...(wide ? ([[16, 64]] as const) : []),
            [16, 32],
            [8, 32],
            ...(eight ? ([[32, wide ? 64 : 32]] as const) : []),
          ];
  return sizes.map(([rows, columns, steps]) => {
    const tile = registerTile(target, { rows, columns });
    return { rows: tile.rows, columns: tile.columns, ...(steps !== undefined && { steps }) };
  });
}

/** The largest tile that still makes enough workgroups; by weights, where the splits make them, the largest. */
function workgroupTiles(target: KernelTarget, request: TileRequest): Tile[] {
  const { rows, columns, depth, phases, layers } = request;
  const summed = byWeights(request);
  const width = columns <= 32 ? 32 : 64;
  const heights = width === 32 ? [128, 64, 32] : [64, 32];
  const tiles = (height: number): number =>
    Math.ceil(rows / height) * Math.ceil(columns / width) * phases * layers;
  const height = heights.find((each) => summed || tiles(each) >= ENOUGH_WORKGROUPS.workgroup) ?? 32;
  const usual = { rows: height, columns: width, steps: !summed && depth <= 4 ? 4 : 16 };
  const widths = columns <= 32 ? [32] : [64, 32];
  const others = [
    ...[128, 64, 32].flatMap((rows) => widths.map((columns) => ({ ...usual, rows, columns }))),
    ...(depth <= 4 ? [] : [8, 32]).map((steps) => ({ ...usual, steps })),
  ];
  return [usual, ...others.filter((tile) => suits(target, request, tile))];
}

/** The largest tile that still makes enough workgroups, as for the others; none where subgroups have no matrices. */
function matrixTiles(target: KernelTarget, request: TileRequest): Tile[] {
  const { rows, columns, depth, phases, layers } = request;
  const widths = columns <= 32 ? [32] : columns <= 64 ? [64, 32] : [128, 64];
  const tile = (rows: number, columns: number, steps: readonly number[]): Tile[] =>
    steps
      .map((each) => ({ rows, columns, steps: each }))
      .filter((each) => suits(target, request, each))
      .slice(0, 1);
  const usualSteps = !byWeights(request) && depth <= 16 ? [16] : [32, 16];
  const all = widths.flatMap((width) =>
    [128, 64, 32]
      .filter((height) => height * width >= 2048)
      .flatMap((height) => tile(height, width, usualSteps)),
  );
  const enough = (each: Tile): boolean =>
    byWeights(request) ||
    Math.ceil(rows / each.rows) * Math.ceil(columns / each.columns) * phases * layers >=
      ENOUGH_WORKGROUPS.matrix;
  // A tile that all columns fit in is never split for more workgroups; wide ones are, for they load least for what they multiply.
  const whole = all
    .filter((each) => each.columns === widths[0] || columns > 64)
    .sort((a, b) => b.rows * b.columns - a.rows * a.columns);
  const usual = whole.find(enough) ?? whole.at(-1) ?? all[0];
  if (!usual) return [];
  const other =
    usualSteps.length > 1 ? [16, 64].flatMap((steps) => tile(usual.rows, usual.columns, [steps])) : [];
  return [usual, ...all, ...other];
}

const TILES = { register: registerTiles, workgroup: workgroupTiles, matrix: matrixTiles } as const;

/** Whether the kernels can fill the slabs of a tile, and the adapter can hold them. */
function suits(target: KernelTarget, request: TileRequest, tile: Tile): boolean {
  const matrices = request.family === "matrix" ? matrixTile(target, tile) : undefined;
  if (matrices === null) return false;
  const { rows, columns, steps, threads }: SlabTile = matrices ?? workgroupTile(tile);
  const slabs = matrices ? matrixBytes(matrices) : 4 * steps * (rows + columns);
  // And the places of the rows, and a vec4 an invocation for totals over the rows.
  const bytes = slabs + 4 * rows + 16 * threads;
  if (threads > target.maxInvocations || bytes > target.maxWorkgroupBytes) return false;
  const [rowQuads, columnQuads] = [rows / 4, columns / 4];
  // By weights every invocation fills as much of a slab as the others.
  return !byWeights(request) || ((steps * rowQuads) % threads === 0 && (steps * columnQuads) % threads === 0);
}
