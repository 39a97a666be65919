/**
 * @file How a workgroup multiplies two slabs of operands that it has loaded into its memory. What loads and stores them is the
 * same either way: every invocation multiplies and adds for itself (workgroup-tile.ts), or every subgroup multiplies
 * matrices (matrix-tile.ts).
 *
 * A slab is lines of vec4, counted through. For fma the right one is `[steps, columns / 4]`, and the left one lies as its
 * operand does in memory: along the sum, `[rows, steps / 4]`, or along the rows, `[steps, rows / 4]`. For matrices both lie
 * along the sum.
 */
export interface SlabTile {
  readonly rows: number;
  readonly columns: number;
  /** Steps of the sum that one slab holds. */
  readonly steps: number;
  /** Invocations a workgroup. */
  readonly threads: number;
}

export type LeftLayout = "along the sum" | "along the rows";

/** Texts of a kernel whose `main` has `group`, `groups` and `local` in scope. */
export interface SlabArithmetic {
  readonly tile: SlabTile;
  /** Directives, before every declaration. */
  readonly enable: string;
  /** The slabs and what else is in the workgroup's memory. */
  readonly declarations: string;
  /** The attributes of `main` and its parameters. */
  readonly main: string;
  /**
   * Whether the slabs lie along the sum: the left one `[rows, steps / 4]`, the right one `[columns, steps / 4]`; what is loaded
   * across it is turned on its way. If not, they lie as `LeftLayout` says.
   */
  readonly turned: boolean;
  /** Stores `value`, a vec4f, as number `at` of a slab. */
  readonly putLeft: (at: string, value: string) => string;
  readonly putRight: (at: string, value: string) => string;
  /** Declares what the products are added to, all zero. */
  readonly declareSums: string;
  /** Adds the product of the two slabs. */
  readonly addProducts: string;
  /** After the last slab and a barrier, makes `sum{r}_{v}`: the sums of the invocation's `r`-th row in its `v`-th four columns. */
  readonly finish: string;
  /** How many fours of columns an invocation has. */
  readonly vectors: number;
  /** The first row of the invocation within the tile; its columns are said by {@link ownColumn}. */
  readonly ownRow: string;
  /** Of each row of the invocation, how many rows below the first it is. */
  readonly rowOffsets: readonly number[];
}

/** Invocations beside one another in a tile: so many have the same rows. */
export const invocationsAcross = ({ tile, vectors }: Pick<SlabArithmetic, "tile" | "vectors">): number =>
  tile.columns / (4 * vectors);

/** The first of an invocation's `v`-th four columns within the tile: neighbours have neighbouring fours. */
export const ownColumn = (arithmetic: Pick<SlabArithmetic, "tile" | "vectors">, v: number): string => {
  const across = invocationsAcross(arithmetic);
  return `(4u * (local % ${across}u)${v === 0 ? "" : ` + ${4 * v * across}u`})`;
};

/** WGSL that stores four vec4 of a slab that lie across its lines, `values`, along them: at the lines from `line` on, `at` in each. */
export const putTurned = (
  put: SlabArithmetic["putLeft"],
  values: readonly string[],
  { line, length, at }: { line: string; length: number; at: string },
): string =>
  [0, 1, 2, 3]
    .map((j) =>
      put(
        `(${line} + ${j}u) * ${length}u + ${at}`,
        `vec4f(${values.map((value) => `${value}[${j}]`).join(", ")})`,
      ),
    )
    .join("\n");
