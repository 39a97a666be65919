/**
 * @file A tile of a matrix product whose slabs are multiplied by subgroup matrices (tensor cores and the like): f16 by f16,
 * or f32 by f32 where there are only those, added up in f32. Every subgroup of the workgroup owns a rectangle of the tile, some
 * matrices wide and high.
 *
 * At the end the sums leave the subgroups' matrices through a piece of workgroup memory, one row of everybody's matrices
 * after the other, so that every invocation gets rows and a vec4 of columns that it can store like any other kernel.
 */
import { lanesAttribute, matrixDirectives, matrixTypes } from "../../gpu/subgroup-matrix.ts";
import type { KernelTarget, SubgroupMatrix } from "../kernel.ts";
import type { SlabArithmetic, SlabTile } from "./slab.ts";
import type { Tile } from "../tiling.ts";
import { mainText, range, repeat } from "./workgroup-tile.ts";

export interface MatrixTile extends SlabTile {
  readonly matrix: SubgroupMatrix;
  /** Extents of a subgroup's rectangle, multiples of the matrix's. */
  readonly ownRows: number;
  readonly ownColumns: number;
  /** Rows of an invocation when the result is stored; it has four columns. */
  readonly threadRows: number;
}

/** A larger workgroup would leave an invocation too few registers; its invocations get more of the result each. */
const MOST_THREADS = 256;

/**
 * Bytes behind each line of a slab: lines stay aligned to the 16 bytes that matrices must begin at, and eight of them one
 * below the other meet no memory bank twice.
 */
const SLAB_PADDING = 16;
const RESULT_PADDING = 1;

/** The tile that the subgroups of `target` share out so; null where they cannot. */
export function matrixTile(
  { subgroupMatrix: matrix }: KernelTarget,
  { rows, columns, steps = 32 }: Tile,
): MatrixTile | null {
  if (!matrix) return null;
  const threadRows = rows * columns > 32 * MOST_THREADS ? 16 : 8;
  const threads = (rows * columns) / (4 * threadRows);
  // As near to a square as can be: its matrices are loaded once for a row and a column of it each.
  const area = matrix.lanes * 4 * threadRows;
  const ownColumns = Math.min(columns, 2 ** Math.floor(Math.log2(area) / 2));
  const ownRows = area / ownColumns;
  const divides = (part: number, whole: number): boolean => whole % part === 0;
  const shared =
    divides(matrix.lanes, threads) &&
    divides(matrix.workgroupMultiple, threads) &&
    divides(ownRows, rows) &&
    divides(matrix.rows, ownRows) &&
    divides(ownRows / matrix.rows, threadRows) &&
    divides(matrix.columns, ownColumns) &&
    divides(matrix.depth, steps);
  return shared ? { rows, columns, steps, threads, matrix, ownRows, ownColumns, threadRows } : null;
}

/** Bytes of workgroup memory for the slabs and the result. */
export function matrixBytes(tile: MatrixTile): number {
  return vectorBytes(tile) * (tile.rows + tile.columns) * slabStride(tile) + 16 * resultVectors(tile);
}

/** Of a slab's vec4. */
const vectorBytes = ({ matrix }: MatrixTile): number => (matrix.component === "f16" ? 8 : 16);
const padding = (tile: MatrixTile): number => SLAB_PADDING / vectorBytes(tile);
/** vec4 from line to line of a slab. */
const slabStride = (tile: MatrixTile): number => tile.steps / 4 + padding(tile);
const resultStride = ({ columns }: MatrixTile): number => columns / 4 + RESULT_PADDING;

/** vec4 of one row of everybody's matrices. */
const resultVectors = (tile: MatrixTile): number =>
  (tile.rows / tile.ownRows) * tile.matrix.rows * resultStride(tile);

/** The arithmetic of a tile. Both slabs lie along the sum: a lane reads what it needs of a matrix in long pieces. */
export function matrixArithmetic(tile: MatrixTile): SlabArithmetic {
  const { rows, columns, steps, matrix, ownRows, ownColumns, threadRows } = tile;
  const across = columns / ownColumns;
  const height = ownRows / matrix.rows;
  // Rows of an invocation in each row of matrices.
  const perPass = threadRows / height;
  const vector = matrix.component === "f16" ? "vec4h" : "vec4f";
  const put = (slab: string) => (at: string, value: string) =>
    `${slab}[${at} + (${at}) / ${steps / 4}u * ${padding(tile)}u] = ${vector}(${value});`;
  return {
    tile,
    enable: matrixDirectives(matrix),
    declarations: /* wgsl */ `
var<workgroup> leftTile: array<${vector}, ${rows * slabStride(tile)}>;
var<workgroup> rightTile: array<${vector}, ${columns * slabStride(tile)}>;
var<workgroup> resultTile: array<vec4f, ${resultVectors(tile)}>;`,
    main: `${lanesAttribute(matrix)}${mainText(tile, "@builtin(subgroup_id) subgroup: u32,")}`,
    turned: true,
    putLeft: put("leftTile"),
    putRight: put("rightTile"),
    declareSums: `let firstOwnRow = subgroup / ${across}u * ${ownRows}u;
  let firstOwnColumn = subgroup % ${across}u * ${ownColumns}u;
  ${eachMatrix(tile, (i, j) => `var product${i}_${j}: ${matrixTypes(matrix).result};`)}`,
    addProducts: repeat(steps / matrix.depth, (k) => multiplyText(tile, k)),
    finish: `\n  ${range(height)
      .map((i) => passText(tile, i, perPass))
      .join("\n  workgroupBarrier();\n  ")}`,
    vectors: 1,
    ownRow: `local / ${columns / 4}u * ${perPass}u / ${matrix.rows}u * ${ownRows}u + local / ${columns / 4}u * ${perPass}u % ${matrix.rows}u`,
    rowOffsets: range(threadRows).map((r) => Math.floor(r / perPass) * matrix.rows + (r % perPass)),
  };
}

const eachMatrix = (tile: MatrixTile, text: (i: number, j: number) => string): string =>
  repeat(tile.ownRows / tile.matrix.rows, (i) =>
    range(tile.ownColumns / tile.matrix.columns)
      .map((j) => text(i, j))
      .join(" "),
  );

/** Adds the products of the `k`-th matrices along the slab. Places and strides count the slabs' vec4. */
function multiplyText(tile: MatrixTile, k: number): string {
  const { matrix, ownRows, ownColumns } = tile;
  const types = matrixTypes(matrix);
  const stride = slabStride(tile);
  const step = (k * matrix.depth) / 4;
  const leftMatrix = (i: number): string =>
    `let left${i} = subgroupMatrixLoad<${types.left}, row_major>(&leftTile, (firstOwnRow + ${i * matrix.rows}u) * ${stride}u + ${step}u, ${stride}u);`;
  const rightMatrix = (j: number): string =>
    `let right${j} = subgroupMatrixLoad<${types.right}, col_major>(&rightTile, (firstOwnColumn + ${j * matrix.columns}u) * ${stride}u + ${step}u, ${stride}u);`;
  return `{
          ${repeat(ownRows / matrix.rows, leftMatrix)}
          ${repeat(ownColumns / matrix.columns, rightMatrix)}
          ${eachMatrix(tile, (i, j) => `product${i}_${j} = subgroupMatrixMultiplyAccumulate(left${i}, right${j}, product${i}_${j});`)}
        }`;
}

/** Hands the `i`-th row of everybody's matrices over to the invocations. */
function passText(tile: MatrixTile, i: number, perPass: number): string {
  const { columns, matrix, ownRows, ownColumns } = tile;
  const stride = resultStride(tile);
  const place = (j: number): string =>
    `firstOwnRow / ${ownRows / matrix.rows}u * ${stride}u + (firstOwnColumn + ${j * matrix.columns}u) / 4u`;
  return `${repeat(
    ownColumns / matrix.columns,
    (j) => `subgroupMatrixStore<row_major>(&resultTile, ${place(j)}, product${i}_${j}, ${stride}u);`,
  )}
  workgroupBarrier();
  ${repeat(
    perPass,
    (r) =>
      `let sum${i * perPass + r}_0 = resultTile[(local / ${columns / 4}u * ${perPass}u + ${r}u) * ${stride}u + local % ${columns / 4}u];`,
  )}`;
}
