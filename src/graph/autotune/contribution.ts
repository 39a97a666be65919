/**
 * @file What a card found out about the tiles of matrix products, in a form that can be given to others: JSON, one file a
 * card. The tiles that are shipped for a family of adapters come of such files.
 */
import { describeTile, sameTile, tileCandidates } from "../../kernels/conv2d/tiles.ts";
import { tileClass } from "../../kernels/conv2d/tile-class.ts";
import type { KernelTarget } from "../../kernels/kernel.ts";
import { PRODUCT_LABEL } from "../../kernels/tiling.ts";
import { VENDOR_FAMILIES } from "../../kernels/conv2d/shipped-tiles.ts";
import type { ShippedTiles, VendorFamily } from "../../kernels/conv2d/shipped-tiles.ts";
import type { Tile, TileRequest } from "../../kernels/tiling.ts";
import { isObject, isTile } from "./record.ts";

const FORMAT = "bespoke tiles 1";

/** A tile and what it cost; the numbers of one product can be compared with one another. */
export interface TileCost {
  readonly tile: Tile;
  /** Milliseconds of one run: the median. What a compiler predicts has another unit. */
  readonly cost: number;
}

/** As much of an adapter as decides which tiles there are. */
export type ContributedTarget = Pick<
  KernelTarget,
  "family" | "subgroupSize" | "subgroupMatrix" | "maxInvocations" | "maxWorkgroupBytes"
>;

export const contributedTarget = (target: KernelTarget): ContributedTarget => {
  const { family, subgroupSize, subgroupMatrix, maxInvocations, maxWorkgroupBytes } = target;
  return { family, subgroupSize, subgroupMatrix, maxInvocations, maxWorkgroupBytes };
};

export interface ContributedProduct {
  /** As `tileClass` names it. */
  readonly class: string;
  /** The largest of its group. */
  readonly request: TileRequest;
  /** How many of it the programs run. */
  readonly uses: number;
  /** Of each tile that could be used, the default first. */
  readonly tiles: readonly TileCost[];
}

export interface Contribution {
  readonly family: VendorFamily;
  /** `card`: timed on it; `lab`: predicted from what the card's compiler makes of the kernels. */
  readonly source: "card" | "lab";
  /** The adapter's name, or the card that was compiled for. */
  readonly adapter: string;
  readonly driver: string;
  /** Version of the package `webgpu`. */
  readonly dawn: string;
  /** `2026-11-28` */
  readonly date: string;
  /** What was run, for people. */
  readonly workload: string;
  /** What the tiles may ask of the adapter. */
  readonly target: ContributedTarget;
  readonly products: readonly ContributedProduct[];
}

/** A line a product. */
export function formatContribution({ products, ...rest }: Contribution): string {
  const head = JSON.stringify({ format: FORMAT, ...rest }, null, 1).slice(0, -2);
  const lines = products.map((product) => `  ${JSON.stringify(product)}`);
  return `${head},\n "products": [\n${lines.join(",\n")}\n ]\n}\n`;
}

/**
 * What a file of tiles holds.
 *
 * @returns or what is wrong with it, as the end of a sentence.
 */
export function parseContribution(text: string): Contribution | string {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return "is not JSON";
  }
  if (!isObject(file) || file.format !== FORMAT)
    return `is no file of tiles (its "format" is not "${FORMAT}")`;
  const { family, source, target, products, date } = file;
  if (!VENDOR_FAMILIES.some((name) => name === family))
    return `has a "family" that is none of ${VENDOR_FAMILIES.join(", ")}`;
  if (source !== "card" && source !== "lab") return 'has a "source" that is neither "card" nor "lab"';
  for (const key of ["adapter", "driver", "dawn", "workload"]) {
    const value = file[key];
    if (typeof value !== "string" || value.trim() === "") return `does not say its "${key}"`;
  }
  if (typeof date !== "string" || !/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    return 'has a "date" that is none, such as 2026-11-28';
  if (!isTarget(target))
    return 'does not say what its "target" is (family, subgroupSize, subgroupMatrix, maxInvocations, maxWorkgroupBytes)';
  if (!Array.isArray(products) || products.length === 0) return 'has no "products"';
  for (const [i, product] of products.entries()) {
    const problem = isProduct(product)
      ? productProblem(product, target)
      : "without a class, a request, uses, or tiles with a cost above 0";
    if (problem !== null) return `has a product (number ${i + 1}) ${problem}`;
  }
  const { adapter, driver, dawn, workload } = file as unknown as Contribution;
  const known = { adapter, driver, dawn, date, workload, target };
  return { family: family as VendorFamily, source, ...known, products };
}

function productProblem(product: ContributedProduct, target: ContributedTarget): string | null {
  const { request, tiles } = product;
  if (product.class !== tileClass(request))
    return `of the class "${product.class}", which is "${tileClass(request)}" in this version: time it anew`;
  const candidates = tileCandidates(target as KernelTarget, request);
  const bad = tiles.find(({ tile }) => !candidates.some((each) => sameTile(each, tile)));
  if (!bad) return null;
  return `with the tile ${describeTile(bad.tile)}, which this version does not have on such an adapter: time it anew`;
}

const isTarget = (value: unknown): value is ContributedTarget =>
  isObject(value) &&
  (value.family === "workgroup" || value.family === "register") &&
  Number.isInteger(value.subgroupSize) &&
  (value.subgroupMatrix === null || isObject(value.subgroupMatrix)) &&
  isCount(value.maxInvocations) &&
  isCount(value.maxWorkgroupBytes);

const isRequest = (value: unknown): value is TileRequest =>
  isObject(value) &&
  ["register", "workgroup", "matrix"].includes(String(value.family)) &&
  String(value.kind) in PRODUCT_LABEL &&
  [value.rows, value.columns, value.depth, value.taps, value.phases, value.layers].every(isCount) &&
  [value.left, value.store, ...(value.right === undefined ? [] : [value.right])].every(
    (operand) =>
      isObject(operand) && Array.isArray(operand.buffers) && [1, 4].includes(Number(operand.width)),
  );

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0;

const isProduct = (value: unknown): value is ContributedProduct =>
  isObject(value) &&
  typeof value.class === "string" &&
  isRequest(value.request) &&
  isCount(value.uses) &&
  Array.isArray(value.tiles) &&
  value.tiles.length > 0 &&
  value.tiles.every(
    (each) => isObject(each) && isTile(each.tile) && Number.isFinite(each.cost) && Number(each.cost) > 0,
  );

/** So much less than the rules' own tile one must cost to be shipped in its place. */
const MARGIN = 0.05;

/**
 * The tiles to ship that files of one family ask for: of each class the one that all its products together cost least in. The
 * default stays where no other one is better by a margin. What cards measured overrules what the lab predicts.
 *
 * @param files by their name.
 */
export function shippedFrom(files: ReadonlyMap<string, Contribution>): ShippedTiles {
  const cards = [...files].filter(([, { source }]) => source === "card");
  const chosen = cards.length > 0 ? cards : [...files];
  if (chosen.length === 0) return { source: "not measured", tiles: {} };
  const classes = new Map<string, WeighedProduct[]>();
  for (const [, { target, products }] of chosen) {
    for (const product of products) {
      // Not the first one that was timed: that may have been shipped then.
      const [usual] = tileCandidates(target as KernelTarget, product.request);
      const weighed = { ...product, usual };
      classes.set(product.class, [...(classes.get(product.class) ?? []), weighed]);
    }
  }
  const tiles = [...classes]
    .map(([name, products]) => [name, cheapest(products)] as const)
    .filter((entry): entry is readonly [string, Tile] => entry[1] !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { source: chosen.map(([name]) => name).sort(), tiles: Object.fromEntries(tiles) };
}

/** A product with the tile that the rules of `tiles.ts` give it. */
type WeighedProduct = ContributedProduct & { readonly usual: Tile };

/** The tile for all of `products`; null for the rules' own of each. */
function cheapest(products: readonly WeighedProduct[]): Tile | null {
  // One that a product was not timed in is ruled out.
  const costIn = (tileOf: (product: WeighedProduct) => Tile): number =>
    products.reduce((sum, product) => {
      const found = product.tiles.find(({ tile }) => sameTile(tile, tileOf(product)));
      return sum + product.uses * (found?.cost ?? Infinity);
    }, 0);
  const usual = costIn((product) => product.usual);
  const candidates = products[0].tiles.map(({ tile }) => ({ tile, cost: costIn(() => tile) }));
  const best = candidates.reduce((a, b) => (b.cost < a.cost ? b : a));
  return best.cost < (1 - MARGIN) * usual ? best.tile : null;
}
