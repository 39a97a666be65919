import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import type { Tiling } from "../tiling.ts";
import { matrixArithmetic, matrixTile } from "./matrix-tile.ts";
import type { LeftLayout, SlabArithmetic } from "./slab.ts";
import { workgroupArithmetic, workgroupTile } from "./workgroup-tile.ts";

/** The arithmetic of a tile. */
export function slabArithmetic(
  target: KernelTarget,
  { request, tile }: Tiling,
  left: LeftLayout,
): SlabArithmetic {
  if (request.family !== "matrix") return workgroupArithmetic(workgroupTile(tile), left);
  const matrices = matrixTile(target, tile);
  if (!matrices)
    throw new Error(
      `${PRODUCT_LABEL[request.kind]}: subgroups cannot share a tile of ${tile.rows}×${tile.columns}.`,
    );
  return matrixArithmetic(matrices);
}
