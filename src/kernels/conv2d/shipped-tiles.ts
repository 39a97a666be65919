import type { Tile, TileRequest } from "../tiling.ts";
import { tileClass } from "./tile-class.ts";

/** Adapters that are likely to want the same tiles. */
export const VENDOR_FAMILIES = [
  "apple",
  "intel",
  "amd-rdna",
  "amd-gcn",
  "nvidia",
  "software",
  "unknown",
] as const;
export type VendorFamily = (typeof VENDOR_FAMILIES)[number];

/** The tiles that products begin with on adapters of a family, and who says so. */
export interface ShippedTiles {
  /**
   * `not measured`: the rules of `tiles.ts` alone. Else files of `bench/tiles` whose tiles these are: what a card found, or what
   * the compiler lab predicts.
   */
  readonly source: "not measured" | readonly string[];
  /** By `tileClass`; the rules' own where there is none. */
  readonly tiles: Readonly<Record<string, Tile>>;
}

const NOT_MEASURED: ShippedTiles = { source: "not measured", tiles: {} };

/** What the files of `bench/tiles` come to; the test of this file says what it must be. */
export const SHIPPED_TILES: Readonly<Record<VendorFamily, ShippedTiles>> = {
  apple: NOT_MEASURED,
  intel: NOT_MEASURED,
  "amd-rdna": NOT_MEASURED,
  "amd-gcn": NOT_MEASURED,
  nvidia: NOT_MEASURED,
  software: NOT_MEASURED,
  unknown: NOT_MEASURED,
};

/** The tile that adapters of a family begin with, where one is shipped. */
export const shippedTile = (family: VendorFamily, request: TileRequest): Tile | undefined =>
  SHIPPED_TILES[family].tiles[tileClass(request)];
