/**
 * @file A tile of a matrix product staged in workgroup memory, for hardware: the workgroup loads a slab of each operand,
 * waits at a barrier, and every invocation adds up its own 8 rows × 8 columns from it, or 8 × 4 where the tile is too small for
 * that.
 *
 * However the left slab lies, slabs are filled without bank conflicts, and four steps of the sum read 16 vec4 for 256
 * multiply-adds (12 for 128).
 */
import type { LeftLayout, SlabArithmetic, SlabTile } from "./slab.ts";
import { invocationsAcross } from "./slab.ts";
import type { Tile } from "../tiling.ts";

/** Rows of an invocation. */
const THREAD_ROWS = 8;
/** With fewer invocations a workgroup leaves lanes of a large subgroup idle. */
const LEAST_THREADS = 64;
/** So many fours of columns lie side by side at least, or invocations that load at once would meet in a memory bank. */
const LEAST_ACROSS = 8;

export interface WorkgroupTile extends SlabTile {
  /** Fours of columns of an invocation. */
  readonly vectors: number;
}

export function workgroupTile({ rows, columns, steps = 16 }: Tile): WorkgroupTile {
  const threads = (vectors: number): number => (rows / THREAD_ROWS) * (columns / (4 * vectors));
  const vectors = threads(2) >= LEAST_THREADS && columns / 8 >= LEAST_ACROSS ? 2 : 1;
  return { rows, columns, steps, threads: threads(vectors), vectors };
}

/** The arithmetic of a tile whose left slab lies so. */
export function workgroupArithmetic(tile: WorkgroupTile, left: LeftLayout): SlabArithmetic {
  const across = invocationsAcross({ tile, vectors: tile.vectors });
  return {
    tile,
    enable: "",
    declarations: shareText(tile),
    main: mainText(tile),
    turned: false,
    putLeft: (at, value) => `leftTile[${at}] = ${value};`,
    putRight: (at, value) => `rightTile[${at}] = ${value};`,
    declareSums: repeat(THREAD_ROWS, (r) =>
      range(tile.vectors)
        .map((v) => `var sum${r}_${v} = vec4f();`)
        .join(" "),
    ),
    addProducts: left === "along the sum" ? addProductsAlongSum(tile) : addProductsAlongRows(tile),
    finish: "",
    vectors: tile.vectors,
    ownRow: `local / ${across}u * ${THREAD_ROWS}u`,
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

/** Adds the product of the two slabs to the sums; `leftTile` lies along the sum. */
function addProductsAlongSum(tile: WorkgroupTile): string {
  const quads = tile.steps / 4;
  const columnQuads = tile.columns / 4;
  const across = columnQuads / tile.vectors;
  const vectors = range(tile.vectors);
  return `for (var quad = 0u; quad < ${quads}u; quad++) {
          let right = quad * ${4 * columnQuads}u + local % ${across}u;
          ${repeat(4, (k) => vectors.map((v) => `let right${k}_${v} = rightTile[right + ${k * columnQuads + v * across}u];`).join(" "))}
          let left = local / ${across}u * ${THREAD_ROWS * quads}u + quad;
          ${repeat(
            THREAD_ROWS,
            (r) =>
              `{ let value = leftTile[left + ${r * quads}u]; ${range(4)
                .flatMap((k) =>
                  vectors.map((v) => `sum${r}_${v} = fma(vec4f(value[${k}]), right${k}_${v}, sum${r}_${v});`),
                )
                .join(" ")} }`,
          )}
        }`;
}

/** Adds the product of the two slabs to the sums; `leftTile` lies along the rows. */
function addProductsAlongRows(tile: WorkgroupTile): string {
  const columnQuads = tile.columns / 4;
  const across = columnQuads / tile.vectors;
  const vectors = range(tile.vectors);
  return `for (var k = 0u; k < ${tile.steps}u; k++) {
        ${vectors.map((v) => `let right${v} = rightTile[k * ${columnQuads}u + ${v * across}u + local % ${across}u];`).join(" ")}
        let left = k * ${tile.rows / 4}u + local / ${across}u * ${THREAD_ROWS / 4}u;
        ${repeat(
          THREAD_ROWS / 4,
          (quad) =>
            `{ let value = leftTile[left + ${quad}u]; ${range(4)
              .flatMap((r) =>
                vectors.map((v) => {
                  const sum = `sum${4 * quad + r}_${v}`;
                  return `${sum} = fma(vec4f(value[${r}]), right${v}, ${sum});`;
                }),
              )
              .join(" ")} }`,
        )}
      }`;
}
