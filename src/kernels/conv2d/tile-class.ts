import { PRODUCT_LABEL } from "../tiling.ts";
import type { TileRequest } from "../tiling.ts";

/** Columns and steps of the sum up to which products are of one class. */
const COLUMNS = [32, 64, 128];
const DEPTHS = [4, 16];
/** Workgroups of 64×64 that keep a large GPU busy. */
const MANY = 256;

/**
 * Names the products that share a tile which is shipped: coarser than `tileGroup`, so that what was found of one network at one
 * size holds for others. `workgroup conv2d_forward, to 64 columns, over 16 steps, many workgroups, f16`.
 */
export function tileClass({ family, kind, rows, columns, depth, phases, layers, half }: TileRequest): string {
  const within = (bounds: readonly number[], extent: number, what: string): string => {
    const bound = bounds.find((each) => extent <= each);
    return bound === undefined ? `over ${bounds.at(-1)} ${what}` : `to ${bound} ${what}`;
  };
  const workgroups = Math.ceil(rows / 64) * Math.ceil(columns / 64) * phases * layers;
  return [
    `${family} ${PRODUCT_LABEL[kind]}`,
    within(COLUMNS, columns, "columns"),
    within(DEPTHS, depth, "steps"),
    // Sums over pixels are split until there are enough of them.
    ...(kind === "backwardWeights" ? [] : [workgroups >= MANY ? "many workgroups" : "few workgroups"]),
    ...(half === true ? ["f16"] : []),
  ].join(", ");
}
