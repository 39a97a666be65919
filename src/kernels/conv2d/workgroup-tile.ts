/**
 * @file A tile of a matrix product staged in workgroup memory, for hardware: the workgroup loads a slab of each operand,
 * waits at a barrier, and every invocation adds up its own 8 rows × 4 columns from it.
 *
 * `rightTile` is `[steps, columns / 4]`, vec4 along the columns. `leftTile` lies as its operand does in memory: along the
 * sum, `[rows, steps / 4]`, or along the rows, `[steps, rows / 4]`. Either way slabs are filled without bank conflicts, and
 * four steps of the sum read 12 vec4 for 128 multiply-adds.
 */
import type { Tile } from "./tiles.ts";

export interface WorkgroupTile {
  readonly rows: number;
  readonly columns: number;
  /** Steps of the sum that one slab holds. */
  readonly steps: number;
  /** Invocations a workgroup. */
  readonly threads: number;
}

/** Rows and columns of an invocation. */
export const THREAD_ROWS = 8;
export const THREAD_COLUMNS = 4;

export function workgroupTile({ rows, columns, steps = 16 }: Tile): WorkgroupTile {
  return { rows, columns, steps, threads: (rows / THREAD_ROWS) * (columns / THREAD_COLUMNS) };
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** `text(i)` for each i below `count`, one a line. */
export const repeat = (count: number, text: (i: number) => string): string =>
  range(count).map(text).join("\n");

/** Declares the slabs. */
export const shareText = (tile: WorkgroupTile): string => /* wgsl */ `
var<workgroup> leftTile: array<vec4f, ${(tile.rows * tile.steps) / 4}>;
var<workgroup> rightTile: array<vec4f, ${(tile.steps * tile.columns) / 4}>;`;

/** The attributes of `main` and its parameters: `group`, `groups` and `local`. */
export const mainText = (tile: WorkgroupTile): string =>
  `@compute @workgroup_size(${tile.threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
)`;

/** Declares the invocation's sums, all zero: `sum{r}`, four columns of its `r`-th row. */
export const declareSums = repeat(THREAD_ROWS, (r) => `var sum${r} = vec4f();`);

/** Adds the product of the two slabs to the sums; `leftTile` lies along the sum. */
export function addProductsAlongSum(tile: WorkgroupTile): string {
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
export function addProductsAlongRows(tile: WorkgroupTile): string {
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
