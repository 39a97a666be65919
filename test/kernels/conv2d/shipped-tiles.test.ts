import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseContribution, shippedFrom } from "../../../src/graph/autotune/contribution.ts";
import type { Contribution } from "../../../src/graph/autotune/contribution.ts";
import { SHIPPED_TILES, VENDOR_FAMILIES } from "../../../src/kernels/conv2d/shipped-tiles.ts";
import { tileClass } from "../../../src/kernels/conv2d/tile-class.ts";
import { sameTile, tileCandidates, tileOf } from "../../../src/kernels/conv2d/tiles.ts";
import type { TileRequest } from "../../../src/kernels/tiling.ts";
import { paperGpu } from "../../helpers/target.ts";

const FOLDER = new URL("../../../bench/tiles/", import.meta.url);

async function contributions(): Promise<Map<string, Contribution>> {
  const files = new Map<string, Contribution>();
  for (const name of (await readdir(FOLDER)).filter((file) => file.endsWith(".json")).sort()) {
    const parsed = parseContribution(await readFile(new URL(name, FOLDER), "utf8"));
    if (typeof parsed === "string") throw new Error(`bench/tiles/${name} ${parsed}.`);
    files.set(name, parsed);
  }
  return files;
}

describe("tiles that are shipped", () => {
  it("come of valid files, whose tiles can all be computed on the adapters that they are of", async () => {
    const files = await contributions();
    for (const family of VENDOR_FAMILIES) {
      const own = new Map([...files].filter(([, file]) => file.family === family));
      expect(SHIPPED_TILES[family], family).toEqual(shippedFrom(own));
    }
  });

  it("are what products of their class begin with on an adapter of the family", async () => {
    for (const { family, target, products } of (await contributions()).values()) {
      for (const { request } of products) {
        const tile = SHIPPED_TILES[family].tiles[tileClass(request)];
        const adapter = { ...paperGpu, ...target, shippedTile: () => tile };
        const candidates = tileCandidates(adapter, request);
        if (tile && candidates.some((each) => sameTile(each, tile)))
          expect(tileOf(adapter, request)).toEqual(tile);
        else expect(tileOf(adapter, request)).toEqual(tileCandidates({ ...paperGpu, ...target }, request)[0]);
      }
    }
  });
});

describe("tileCandidates", () => {
  const request: TileRequest = {
    ...{ family: "workgroup", kind: "forward", rows: 65536, columns: 64, depth: 256 },
    ...{ taps: 1, phases: 1, layers: 1 },
    left: { buffers: ["x"], width: 4 },
    store: { buffers: ["y"], width: 4 },
  };
  const usual = tileCandidates(paperGpu, request);

  it("puts the tile that is shipped first and leaves none out", () => {
    const last = usual.at(-1)!;
    const target = { ...paperGpu, shippedTile: () => last };
    expect(tileCandidates(target, request)).toEqual([last, ...usual.slice(0, -1)]);
    expect(tileOf(target, request)).toEqual(last);
    // What was measured on the adapter overrules it.
    expect(tileOf({ ...target, tileFor: () => usual[1] }, request)).toEqual(usual[1]);
  });

  it("does not take a tile that is none of the product's", () => {
    const target = { ...paperGpu, shippedTile: () => ({ rows: 7, columns: 9, steps: 3 }) };
    expect(tileCandidates(target, request)).toEqual(usual);
  });
});
