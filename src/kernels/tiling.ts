/** @file What is said about the tiles of matrix products; which there are is told in `conv2d/tiles.ts`. */

/**
 * How matrix products are written: `"workgroup"` stages tiles in workgroup memory behind barriers, for hardware;
 * `"register"` keeps everything in registers and has no barrier at all, for adapters that run on the CPU, where one
 * barrier makes every load several times dearer.
 */
export type KernelFamily = "workgroup" | "register";

/** Of one product: the target's, or `"matrix"`, workgroup tiles that subgroups multiply as matrices. */
export type ProductFamily = KernelFamily | "matrix";

/** The matrix products behind convolutions: the convolution, and its gradients by data and by weights. */
export type ProductKind = "forward" | "backwardData" | "backwardWeights";

/** What the kernel of a product is called. */
export const PRODUCT_LABEL: Readonly<Record<ProductKind, string>> = {
  forward: "conv2d_forward",
  backwardData: "conv2d_backward_data",
  backwardWeights: "conv2d_backward_weights",
};

/** An operand or the result of a product: the names of the buffers it lies in, and how many channels are taken at once. */
export interface TileOperand {
  readonly buffers: readonly string[];
  readonly width: 4 | 1;
}

/** A product, as far as the choice of its tile is concerned; plain data. */
export interface TileRequest {
  readonly family: ProductFamily;
  readonly kind: ProductKind;
  /** Of the result as a matrix: of its largest phase, or of its largest layer. */
  readonly rows: number;
  readonly columns: number;
  /** Steps of the sum: channels at each tap, or pixels where the product is by weights. */
  readonly depth: number;
  readonly taps: number;
  /** Products of the same size in one dispatch. */
  readonly phases: number;
  readonly layers: number;
  /** Whether its images are stored as f16; not by default. */
  readonly half?: boolean;
  readonly left: TileOperand;
  /** Of a product by weights; the right operand of the others, the weights, is loaded in one way only. */
  readonly right?: TileOperand;
  readonly store: TileOperand;
}

/** A tile, as plain data. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Of workgroup tiles: steps of the sum that a slab holds. Of register tiles by weights: pixels a turn of the loop. */
  readonly steps?: number;
  /** Of products by weights: their sum is split until there are about so many workgroups. */
  readonly workgroups?: number;
}

/** Chooses a tile; undefined for the default. One that is not in the list of `tileCandidates` is not taken. */
export type TileFor = (request: TileRequest) => Tile | undefined;

/** The tile that a matrix product is computed in, one of several that would do, and what it was chosen for. */
export interface Tiling {
  /** What the tile was chosen for. */
  readonly request: TileRequest;
  /** The tile. */
  readonly tile: Tile;
}
