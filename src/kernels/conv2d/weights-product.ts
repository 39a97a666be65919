/**
 * @file The matrix product behind a convolution's gradient by weights, and how its sum is split.
 *
 *     dw[ky, kx, ci, co] = Σ over pixels (n, oy, ox) of x[n, oy·stride + ky − pad, ox·stride + kx − pad, ci] · dy[n, oy, ox, co]
 *
 * kh·kw·Cin rows, Cout columns, and a sum over every pixel of `dy`. It is cut into `splits` partial sums, each a dispatch
 * layer of its own: they make enough work for a GPU where the matrix is small, and keep the chains of additions short.
 */
import { allChannels } from "../text/channel-range.ts";
import { i32, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "../kernel.ts";
import type { TileRequest, Tiling } from "../tiling.ts";
import type { Conv2dGeometry } from "./geometry.ts";
import { plainLoad } from "./load.ts";
import type { Begins, Load } from "./load.ts";
import { matrixLayersText } from "./matrix-layers.ts";
import type { MatrixLayers } from "./matrix-layers.ts";
import { canOwnFours } from "./register-tile.ts";
import { requestFor, tileOf } from "./tiles.ts";

export interface WeightsProduct {
  /** Of the first layer. */
  readonly geometry: Conv2dGeometry;
  /** How the operands are loaded, by the width that suits the kernel. */
  readonly left: LoadOfWidth;
  readonly right: LoadOfWidth;
  readonly layers: WeightsLayers;
  /** Of layers that are products of matrices. */
  readonly matrices: MatrixLayers | null;
  /** Of the largest layer. */
  readonly rows: number;
  /** Of all layers together. */
  readonly totalRows: number;
  readonly columns: number;
  readonly params: Record<string, Uniform>;
  /** The images are stored as f16, so the operands may be rounded to f16 before they are multiplied. */
  readonly half: boolean;
}

type LoadOfWidth = (width: 4 | 1, begins?: Begins) => Load;

/** Several products in one dispatch, which differ in where their operands begin, and in the number of channels of x. */
export interface WeightsLayers {
  readonly count: number;
  /** Channels that the x of each layer has more than that of the layer before. */
  readonly growth: number;
  /**
   * By how many channels a buffer that is loaded begins later in each layer than in the one before; 0 for those not named.
   * `"channels of x"`: by as many as the x of the layer before has, rounded up to a multiple of `alignment`.
   */
  readonly steps: Readonly<Record<string, number | "channels of x">>;
  /** 1 by default. */
  readonly alignment?: number;
}

/** What a product does besides; by default it loads tensors of its own. */
export interface WeightsFusion {
  /** x. */
  readonly left?: LoadOfWidth | undefined;
  /** dy. */
  readonly right?: LoadOfWidth | undefined;
  readonly layers?: WeightsLayers;
  /** Several products of matrices at once, plainly loaded, instead of `layers`. */
  readonly matrices?: MatrixLayers;
  /** The images are stored as f16, so the operands may be rounded to f16 before they are multiplied; not by default. */
  readonly half?: boolean;
}

/** A product's kernel, and into how many partial sums it cuts. */
export interface WeightsKernel {
  readonly partial: Kernel;
  readonly splits: number;
  /** Numbers of one partial sum: those of all layers. */
  readonly count: number;
}

const ONE_LAYER: WeightsLayers = { count: 1, growth: 0, steps: {} };

/** Pixels that one partial sum may add up, for accuracy. */
const LONGEST_SUM = 2048;
/** Pixels under which a partial sum is not worth its write and read. */
const SHORTEST_SUM = 64;

export function weightsProduct(g: Conv2dGeometry, fusion: WeightsFusion = {}): WeightsProduct {
  const { matrices = null } = fusion;
  const { layers = { ...ONE_LAYER, count: matrices?.count ?? 1 } } = fusion;
  const taps = g.kernelHeight * g.kernelWidth;
  return {
    geometry: g,
    left: fusion.left ?? ((width, begins) => plainLoad("x", width, allChannels(g.inChannels), begins)),
    right: fusion.right ?? ((width, begins) => plainLoad("dy", width, allChannels(g.outChannels), begins)),
    layers,
    matrices,
    rows: taps * (g.inChannels + (layers.count - 1) * layers.growth),
    totalRows: taps * channelsBefore(g.inChannels, layers.growth, layers.count),
    columns: g.outChannels,
    params: {
      inHeight: i32(g.inHeight),
      inWidth: i32(g.inWidth),
      inChannels: u32(g.inChannels),
      outHeight: u32(g.outHeight),
      outWidth: u32(g.outWidth),
      outChannels: u32(g.outChannels),
      taps: u32(taps),
      kernelWidth: u32(g.kernelWidth),
      strideY: i32(g.strideY),
      strideX: i32(g.strideX),
      padTop: i32(g.padTop),
      padLeft: i32(g.padLeft),
    },
    half: fusion.half ?? false,
  };
}

type WeightsRequest = TileRequest & Required<Pick<TileRequest, "right">>;

/** The tile of a product, and what it was chosen for. */
export function weightsTiling(
  target: KernelTarget,
  product: WeightsProduct,
): Tiling & { readonly request: WeightsRequest } {
  const { geometry: g, layers, rows, columns, half, left, right } = product;
  const width = columns % 4 === 0 ? 4 : 1;
  const leftWidth = (target.family === "workgroup" || canOwnFours(target)) && inFours(product) ? 4 : 1;
  const request = requestFor(target, {
    kind: "backwardWeights" as const,
    rows,
    columns,
    depth: g.batch * g.outHeight * g.outWidth,
    taps: g.kernelHeight * g.kernelWidth,
    phases: 1,
    layers: layers.count,
    half,
    left: { buffers: buffersOf(left, leftWidth), width: leftWidth },
    right: { buffers: buffersOf(right, width), width },
    store: { buffers: ["dw"], width },
  });
  return { request, tile: tileOf(target, request) };
}

const buffersOf = (load: LoadOfWidth, width: 4 | 1): string[] => Object.keys(load(width, {}).read);

/** Whether the channels of x come in fours, in every layer. */
const inFours = ({ geometry, layers }: WeightsProduct): boolean =>
  geometry.inChannels % 4 === 0 && layers.growth % 4 === 0;

/** Channels of x of all layers before layer number `layer`. */
const channelsBefore = (channels: number, growth: number, layer: number): number =>
  layer * channels + (growth * layer * (layer - 1)) / 2;

/**
 * What a kernel needs of the layers: the uniforms, the operands' loads as `request` has them, and WGSL that declares for the workgroup `split`,
 * `channels` and `rows` of its layer, `rowsBefore`, those of the layers before, and where the operands begin.
 */
export function layersText(
  { geometry: g, left, right, layers, matrices, rows, totalRows, columns }: WeightsProduct,
  splits: number,
  request: WeightsRequest,
): { params: Record<string, Uniform>; left: Load; right: Load; text: string } {
  const own = { splits: u32(splits), totalRows: u32(totalRows) };
  if (layers.count === 1 && !matrices) {
    const text = /* wgsl */ `let split = group.z;
  let channels = params.inChannels;
  let rows = params.taps * channels;
  let rowsBefore = 0u;`;
    return { params: own, left: left(request.left.width, {}), right: right(request.right.width, {}), text };
  }
  if (matrices) {
    const pixels = g.batch * g.outHeight * g.outWidth;
    const [leftWidth, rightWidth] = [request.left.width, request.right.width];
    const { params, text } = matrixLayersText(matrices, {
      left: (pixels * rows) / leftWidth,
      right: (pixels * columns) / rightWidth,
      result: rows,
    });
    return {
      params: { ...own, ...params },
      left: left(leftWidth, { x: "leftFirst" }),
      right: right(rightWidth, { dy: "rightFirst" }),
      text: /* wgsl */ `let layer = group.z / params.splits;
  let split = group.z - layer * params.splits;
  let channels = params.inChannels;
  let rows = params.taps * channels;
  ${text}
  let rowsBefore = resultFirst;`,
    };
  }
  const params: Record<string, Uniform> = {
    ...own,
    growth: u32(layers.growth),
    alignment: u32(layers.alignment ?? 1),
  };
  const besideChannels: string[] = [];
  const inSteps: string[] = [];
  const begins: Record<string, string> = {};
  for (const { buffers, width } of [request.left, request.right]) {
    for (const name of buffers) {
      const step = layers.steps[name] ?? 0;
      begins[name] = `${name}First`;
      const first = `let ${name}First = params.${name}Begin`;
      if (step === "channels of x") besideChannels.push(`${first} + alignedBefore / ${width}u;`);
      else {
        params[`${name}Step`] = u32(step / width);
        inSteps.push(`${first} + layer * params.${name}Step;`);
      }
    }
  }
  return {
    params,
    left: left(request.left.width, begins),
    right: right(request.right.width, begins),
    text: /* wgsl */ `let layer = group.z / params.splits;
  let split = group.z - layer * params.splits;
  let channels = params.inChannels + layer * params.growth;
  let rows = params.taps * channels;
  let channelsBefore = layer * params.inChannels + params.growth * (layer * (layer - 1u) / 2u);
  let rowsBefore = params.taps * channelsBefore;
  ${besideChannels.length > 0 ? alignedText : ""}
  ${[...besideChannels, ...inSteps].join("\n  ")}`,
  };
}

const alignedText = /* wgsl */ `var alignedBefore = 0u;
  for (var before = 0u; before < layer; before++) {
    let own = params.inChannels + before * params.growth + params.alignment - 1u;
    alignedBefore += own - own % params.alignment;
  }`;

/**
 * Into how many partial sums to cut: enough that `tiles` tiles each make `enough` workgroups, none longer than is good for
 * accuracy, all of them together within one binding.
 */
export function splitCount(
  target: KernelTarget,
  { geometry: g, layers, totalRows, columns }: WeightsProduct,
  tiles: number,
  enough = 1,
): number {
  const pixels = g.batch * g.outHeight * g.outWidth;
  const forWork = Math.min(Math.ceil(enough / tiles), Math.floor(pixels / SHORTEST_SUM));
  const most = Math.min(
    Math.floor(target.maxWorkgroupsPerDimension / layers.count),
    Math.floor(target.maxBindingBytes / (4 * totalRows * columns)),
  );
  return Math.max(1, Math.min(most, Math.max(forWork, Math.ceil(pixels / LONGEST_SUM))));
}
