/**
 * @file A tile of a matrix product staged in workgroup memory, for hardware: the workgroup loads a slab of each operand,
 * waits at a barrier, and every invocation adds up its own 8 rows × 4 columns from it.
 *
 * However the left slab lies, slabs are filled without bank conflicts, and four steps of the sum read 12 vec4 for 128
 * multiply-adds.
 */
import type { LeftLayout, SlabArithmetic, SlabTile } from "./slab.ts";
import type { Tile } from "../tiling.ts";

/** Rows and columns of an invocation. */
export const THREAD_ROWS = 8;
export const THREAD_COLUMNS = 4;

export function workgroupTile({ rows, columns, steps = 16 }: Tile): SlabTile {
  return { rows, columns, steps, threads: (rows / THREAD_ROWS) * (columns / THREAD_COLUMNS) };
}

/** The arithmetic of a tile whose left slab lies so. */
export function workgroupArithmetic(tile: SlabTile, left: LeftLayout): SlabArithmetic {
  return {
    tile,
    enable: "",
    declarations: shareText(tile),
    main: mainText(tile),
    putLeft: (at, value) => `leftTile[${at}] = ${value};`,
    putRight: (at, value) => `rightTile[${at}] = ${value};`,
    declareSums,
    addProducts: left === "along the sum" ? addProductsAlongSum(tile) : addProductsAlongRows(tile),
    finish: "",
    ownRow: `local / ${tile.columns / 4}u * ${THREAD_ROWS}u`,
    rowOffsets: range(THREAD_ROWS),
  };
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** `text(i)` for each i below `count`, one a line. */
export const repeat = (count: number, text: (i: number) => string): string =>
  range(count).map(text).join("\n");

/** Declares the slabs. */
const shareText = (tile: SlabTile): string => /* wgsl */ `
var<workgroup> leftTile: array<vec4f, ${(tile.rows * tile.steps) / 4}>;
var<workgroup> rightTile: array<vec4f, ${(tile.steps * tile.columns) / 4}>;`;

/** The attributes of `main` and its parameters: `group`, `groups`, `local` and more. */
export const mainText = (tile: SlabTile, more = ""): string =>
  `@compute @workgroup_size(${tile.threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,${more === "" ? "" : `\n  ${more}`}
)`;

/** Declares the invocation's sums, all zero: `sum{r}`, four columns of its `r`-th row. */
const declareSums = repeat(THREAD_ROWS, (r) => `var sum${r} = vec4f();`);

/** Adds the product of the two slabs to the sums; `leftTile` lies along the sum. */
function addProductsAlongSum(tile: SlabTile): string {
  const quads = tile.steps / 4;
  const columnQuads = tile.columns / 4;
  return `for (var quad = 0u; quad < ${quads}u; quad++) {
          let right = quad * ${4 * columnQuads}u + local % ${columnQuads}u;
          ${repeat(4, (k) => `let right${k} = rightTile[right + ${k * columnQuads}u];`)}
          let left = local / ${columnQuads}u * ${THREAD_ROWS * quads}u + quad;
          ${repeat(
            THREAD_ROWS,
            (r) =>
              `{ let value = leftTile[left + ${r * quads}u]; ${range(4)
                .map((k) => `sum${r} = fma(vec4f(value[${k}]), right${k}, sum${r});`)
                .join(" ")} }`,
          )}
        }`;
}

/** Adds the product of the two slabs to the sums; `leftTile` lies along the rows. */
function addProductsAlongRows(tile: SlabTile): string {
  const columnQuads = tile.columns / 4;
  return `for (var k = 0u; k < ${tile.steps}u; k++) {
        let right = rightTile[k * ${columnQuads}u + local % ${columnQuads}u];
        let left = k * ${tile.rows / 4}u + local / ${columnQuads}u * ${THREAD_ROWS / 4}u;
        ${repeat(
          THREAD_ROWS / 4,
          (quad) =>
            `{ let value = leftTile[left + ${quad}u]; ${range(4)
              .map((r) => `sum${4 * quad + r} = fma(vec4f(value[${r}]), right, sum${4 * quad + r});`)
              .join(" ")} }`,
        )}
      }`;
}
