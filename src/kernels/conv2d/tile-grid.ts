import type { KernelTarget } from "../kernel.ts";

export interface TileGrid {
  readonly columnTiles: number;
  readonly workgroups: readonly [number, number, number];
}

/**
 * A grid of one workgroup a tile of a `rows` × `columns` matrix, `layers` times along z. Tiles are numbered along the
 * columns first, so that neighbours in time read the same rows, and the number is folded into x and y.
 */
export function tileGrid(
  target: KernelTarget,
  rows: number,
  columns: number,
  tile: { readonly rows: number; readonly columns: number },
  layers: number,
): TileGrid {
  const columnTiles = Math.ceil(columns / tile.columns);
  const tiles = columnTiles * Math.ceil(rows / tile.rows);
  const x = Math.min(tiles, target.maxWorkgroupsPerDimension);
  return { columnTiles, workgroups: [x, Math.ceil(tiles / x), layers] };
}

/** WGSL for the tile a workgroup works on: needs `group`, `groups` and `params.columnTiles`. */
export const tileText = /* wgsl */ `let tile = group.y * groups.x + group.x;
  let rowTile = tile / params.columnTiles;
  let columnTile = tile - rowTile * params.columnTiles;`;
