/**
 * @file A tile of a matrix product that lives in registers: no workgroup memory and no barrier.
 *
 * One workgroup is one subgroup of `lanes` invocations. Every lane owns `vectors` vec4 of columns of all the tile's rows.
 * Of the left operand a lane loads only the values of its own `rowsPerLane` rows, and a subgroup broadcast spreads them;
 * the right operand it loads for its own columns. Without subgroups, every lane loads the values of all rows.
 *
 * On lavapipe and SwiftShader a load is a gather that costs as much as dozens of multiply-adds, so what counts is many
 * multiply-adds a load, but also that a turn of the loop is short, although every variable that it changes is written back
 * under a mask: a core runs fast what it keeps decoded. Several short loops are quicker than one long one (bench/NOTES.md).
 */
import type { KernelTarget } from "../kernel.ts";
import type { Tile } from "../tiling.ts";

export interface RegisterTile {
  /** Invocations a workgroup. */
  readonly lanes: number;
  /** Whether the rows are spread over the lanes and their values by broadcast. */
  readonly subgroups: boolean;
  readonly rowsPerLane: number;
  /** vec4 of columns a lane, `lanes` vec4 apart. */
  readonly vectors: number;
  /** Rows of the whole tile. */
  readonly rows: number;
  /** Columns of the whole tile. */
  readonly columns: number;
}

/** The tile of about so many rows and columns that the lanes of `target` share out evenly. */
export function registerTile({ subgroupSize }: KernelTarget, { rows, columns }: Tile): RegisterTile {
  const subgroups = subgroupSize >= 4;
  const lanes = subgroups ? subgroupSize : 8;
  const rowsPerLane = subgroups ? Math.max(1, Math.floor(rows / lanes)) : rows;
  const vectors = Math.max(1, Math.floor(columns / (4 * lanes)));
  return {
    lanes,
    subgroups,
    rowsPerLane,
    vectors,
    rows: subgroups ? rowsPerLane * lanes : rowsPerLane,
    columns: 4 * lanes * vectors,
  };
}

/** Whether a lane's own rows can be fours; of more lanes they would be more rows than a lane can keep the sums of. */
export const canOwnFours = ({ subgroupSize }: KernelTarget): boolean => subgroupSize <= 8;

/** `enable subgroups;` where the tile needs it. */
export const enableText = (tile: RegisterTile): string => (tile.subgroups ? "enable subgroups;" : "");

/** The attributes of `main` and its parameters: `group`, `groups` and `lane`. */
export const mainText = (tile: RegisterTile): string =>
  `@compute @workgroup_size(${tile.lanes})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(${tile.subgroups ? "subgroup_invocation_id" : "local_invocation_index"}) lane: u32,
)`;

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** `text(i)` for each i below `count`, one a line. */
export const repeat = (count: number, text: (i: number) => string): string =>
  range(count).map(text).join("\n");

/** The first tile-row, as text, of those that are some lane's `r`-th own row. */
export const firstOwnRow = (tile: RegisterTile, r: number): string =>
  `${r * (tile.subgroups ? tile.lanes : 1)}u`;

/** The tile-row, as text, that is the lane's `r`-th own row. */
export const ownRow = (tile: RegisterTile, r: number): string =>
  tile.subgroups ? `(${firstOwnRow(tile, r)} + lane)` : firstOwnRow(tile, r);

/** Declares the sums, all zero. */
export const declareSums = (tile: RegisterTile): string =>
  repeat(tile.rows, (row) => repeat(tile.vectors, (v) => `var sum${row}_${v} = vec4f();`));

/** Which products {@link addProducts} adds. */
export interface RowsOfProducts {
  readonly own: number;
  readonly width?: 4 | 1;
  readonly steps: number;
  /** Of the columns that a lane owns; all by default. */
  readonly vectors?: readonly number[];
}

/**
 * Some steps of the sum, for the rows that lanes have as their `own`-th: adds to each its values of the left operand times
 * the right operand. A row's steps lie together, so that its sums stay in registers meanwhile. With a `width` of 4 a lane's
 * own are four rows that lie together.
 *
 * @param left text of the value of the lane's own row, or of its `part`-th, of a step
 * @param right text of the lane's `v`-th vec4 of columns, of a step
 */
export function addProducts(
  tile: RegisterTile,
  { own, width = 1, steps, vectors = range(tile.vectors) }: RowsOfProducts,
  left: (step: number, part: number) => string,
  right: (v: number, step: number) => string,
): string {
  const spread = tile.subgroups ? tile.lanes : 1;
  return repeat(spread, (from) =>
    repeat(width, (part) => {
      const row = width * (own * spread + from) + part;
      return repeat(steps, (step) => {
        const own = left(step, part);
        const value = tile.subgroups ? `subgroupBroadcast(${own}, ${from}u)` : own;
        return `{ let value = vec4f(${value}); ${vectors
          .map((v) => `sum${row}_${v} = fma(value, ${right(v, step)}, sum${row}_${v});`)
          .join(" ")} }`;
      });
    }),
  );
}

/**
 * A loop over the tile's rows, as long as `inside`, a condition on `row`, holds; `text` gets the text of the row's sum in the
 * lane's `v`-th vec4. Written out for each row instead, a store that also loads compiles for ten seconds on lavapipe.
 */
export function eachRow(
  { rows, vectors }: Pick<RegisterTile, "rows" | "vectors">,
  inside: string,
  text: (sum: (v: number) => string) => string,
  sumOf = (row: number, v: number): string => `sum${row}_${v}`,
): string {
  const sums = range(rows).flatMap((row) => range(vectors).map((v) => sumOf(row, v)));
  return `var sums = array<vec4f, ${rows * vectors}>(${sums.join(", ")});
  for (var row = 0u; row < ${rows}u && ${inside}; row++) {
    ${text((v) => `sums[row * ${vectors}u + ${v}u]`)}
  }`;
}

/**
 * What is done with each vec4 of columns that a lane owns, in a loop: written out for each, a long store would be as long again.
 * `stored<row>` are its sums, and `firstStored` is its first column.
 */
export function eachVector({ rows, vectors, lanes }: RegisterTile, text: string): string {
  const picked = (row: number): string =>
    range(vectors)
      .slice(1)
      .reduce((sum, v) => `select(${sum}, sum${row}_${v}, vector == ${v}u)`, `sum${row}_0`);
  return `for (var vector = 0u; vector < params.vectors; vector++) {
    let firstStored = firstColumn + vector * ${4 * lanes}u;
    ${repeat(rows, (row) => `let stored${row} = ${picked(row)};`)}
    ${text}
  }`;
}
