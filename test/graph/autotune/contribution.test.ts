import { describe, expect, it } from "vitest";
import {
  contributedTarget,
  formatContribution,
  parseContribution,
  shippedFrom,
} from "../../../src/graph/autotune/contribution.ts";
import type { Contribution } from "../../../src/graph/autotune/contribution.ts";
import { tileClass } from "../../../src/kernels/conv2d/tile-class.ts";
import { tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { TileRequest } from "../../../src/kernels/tiling.ts";
import { paperGpu } from "../../helpers/target.ts";

const request = (rows: number): TileRequest => ({
  ...{ family: "workgroup", kind: "forward", rows, columns: 64, depth: 256 },
  ...{ taps: 1, phases: 1, layers: 1 },
  left: { buffers: ["x"], width: 4 },
  store: { buffers: ["y"], width: 4 },
});
const tiles = tileCandidates(paperGpu, request(65536)).slice(0, 3);
const product = (rows: number, uses: number, ...costs: number[]) => ({
  ...{ class: tileClass(request(rows)), request: request(rows), uses },
  tiles: costs.map((cost, i) => ({ tile: tiles[i], cost })),
});
const contribution = (some: Partial<Contribution> = {}): Contribution => ({
  ...{ family: "nvidia", source: "card", adapter: "NVIDIA T4", driver: "550.54", dawn: "0.6.2" },
  ...{ date: "2026-11-28", workload: "a step", target: contributedTarget(paperGpu) },
  products: [product(65536, 3, 2, 1, 3)],
  ...some,
});

describe("a file of tiles", () => {
  it("says after reading what it said before writing", () => {
    const given = contribution({ products: [product(65536, 3, 2, 1, 3), product(131072, 1, 1)] });
    expect(parseContribution(formatContribution(given))).toEqual(given);
  });

  const [{ tiles: timed, ...rest }] = contribution().products;
  const broken = (some: object): string =>
    JSON.stringify({ format: "bespoke tiles 1", ...contribution(), ...some });
  it.each([
    ["{", "is not JSON"],
    ["[]", 'is no file of tiles (its "format" is not "bespoke tiles 1")'],
    [broken({ format: "bespoke tuning 1" }), 'is no file of tiles (its "format" is not "bespoke tiles 1")'],
    [broken({ family: "matrox" }), 'has a "family" that is none of apple, intel, '],
    [broken({ source: "hearsay" }), 'has a "source" that is neither "card" nor "lab"'],
    [broken({ driver: " " }), 'does not say its "driver"'],
    [broken({ date: "2026-13-40" }), 'has a "date" that is none'],
    [broken({ target: { maxInvocations: 256 } }), 'does not say what its "target" is'],
    [broken({ products: [] }), 'has no "products"'],
    [broken({ products: [{ ...rest, tiles: [] }] }), "has a product (number 1) without a class, a request,"],
    [
      broken({ products: [{ ...rest, tiles: [{ tile: timed[0].tile, cost: -1 }] }] }),
      "has a product (number 1) without a class, a request,",
    ],
    [
      broken({ products: [{ ...rest, tiles: timed, class: "some" }] }),
      'has a product (number 1) of the class "some", which is "workgroup conv2d_forward, to 64 columns, ',
    ],
    [
      broken({ products: [{ ...rest, tiles: [{ tile: { rows: 512, columns: 512, steps: 64 }, cost: 1 }] }] }),
      "has a product (number 1) with the tile 512×512, 64 steps, which this version does not have on such an adapter",
    ],
  ])("is refused where something is wrong with it: %#", (text, problem) => {
    expect(parseContribution(text)).toEqual(expect.stringContaining(problem));
  });
});

describe("shippedFrom", () => {
  const shipped = (...files: Contribution[]) =>
    shippedFrom(new Map(files.map((file, i) => [`${i}.json`, file] as const)));
  const name = tileClass(request(65536));

  it("takes what all products of a class together cost least in, by how often they run", () => {
    const products = (uses: number) => [product(65536, 1, 2, 1, 3), product(131072, uses, 2, 4, 1.5)];
    expect(shipped(contribution({ products: products(1) })).tiles).toEqual({});
    expect(shipped(contribution({ products: products(9) })).tiles).toEqual({ [name]: tiles[2] });
    // In what one of them was not timed in, it cannot be said.
    const one = [product(65536, 1, 2, 1), product(131072, 1, 2)];
    expect(shipped(contribution({ products: one })).tiles).toEqual({});
  });

  it("leaves the rules' own tile where another one is hardly better, whichever was timed first", () => {
    expect(shipped(contribution({ products: [product(65536, 1, 1, 0.97)] })).tiles).toEqual({});
    const reversed = { ...product(65536, 1, 2, 1), tiles: product(65536, 1, 2, 1).tiles.reverse() };
    expect(shipped(contribution({ products: [reversed] })).tiles).toEqual({ [name]: tiles[1] });
  });

  it("takes a card's word before the lab's, and says whose it was", () => {
    const lab = contribution({ source: "lab", products: [product(65536, 1, 2, 3, 1)] });
    expect(shipped(lab)).toEqual({ source: ["0.json"], tiles: { [name]: tiles[2] } });
    expect(shipped(lab, contribution())).toEqual({ source: ["1.json"], tiles: { [name]: tiles[1] } });
    expect(shipped()).toEqual({ source: "not measured", tiles: {} });
  });
});
