/**
 * @file The matrix product behind a convolution and behind its gradient by data: both gather, for every pixel of a
 * result image, the pixels of a source image that the kernel's taps reach, times the weights of the tap.
 *
 *     result[n, ry, rx, c] = Σ over taps (ky, kx), Σ over d of source[n, sy(ky), sx(kx), d] · w[ky, kx, d, c]
 *
 * Forward, `sy = ry·stride + ky − pad`. By data, `sy = (ry + pad − ky) / stride` where that is whole: the result's rows
 * fall into `stride` phases `ry mod stride`, and each phase has its own taps, `ky ≡ ry + pad (mod stride)`, and the same
 * kind of gather with stride 1, running backwards. The weights are then transposed: `w[ky, kx, c, d]`.
 */
import { i32, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "../kernel.ts";
import type { ProductKind, Tiling } from "../tiling.ts";
import { allChannels } from "../text/channel-range.ts";
import { laneFor } from "../text/lane.ts";
import type { Conv2dGeometry } from "./geometry.ts";
import { plainLoad } from "./load.ts";
import type { Begins, Load } from "./load.ts";
import { matrixLayersText } from "./matrix-layers.ts";
import type { MatrixLayers } from "./matrix-layers.ts";
import { biasedStore, plainStore } from "./store.ts";
import type { Store } from "./store.ts";
import { requestFor, tileOf } from "./tiles.ts";

export interface TapProduct {
  readonly kind: Exclude<ProductKind, "backwardWeights">;
  /** The source, and what becomes of it on the way. */
  readonly load: Load;
  readonly store: Store;
  /** The weights lie as `[ky, kx, channels, depth]` instead of `[ky, kx, depth, channels]`. */
  readonly transposed: boolean;
  /** The element of the weights' buffer with which they begin. */
  readonly weightsBegin: number;
  readonly taps: number;
  /** Channels of the source: what is summed over at each tap. */
  readonly depth: number;
  /** Channels of the result. */
  readonly channels: number;
  /** Channels that the weights are for: those of the result come first. */
  readonly weightsChannels: number;
  readonly phases: number;
  /** Most pixels of the result that one phase has. */
  readonly rows: number;
  readonly params: Record<string, Uniform>;
  /** The images are stored as f16, so the operands may be rounded to f16 before they are multiplied. */
  readonly half: boolean;
  /** Of matrices, without phases and partials: several products at once. */
  readonly layers: MatrixLayers | null;
}

/** A product's kernel, and how many partials its store leaves partials in. */
export interface TapKernel {
  readonly kernel: Kernel;
  readonly partialCount: number;
}

/** What a product does besides; by default it loads and stores tensors of its own. */
export interface TapFusion {
  readonly load?: Load;
  readonly store?: Store;
  /** Where in the buffer `w` the weights begin, a multiple of 4. */
  readonly weightsBegin?: number;
  /** Compute only so many of the result's channels, from the first on; all by default. */
  readonly channels?: number;
  /** Adds `bias`, one number a channel, to the result, before it is stored; not by default. */
  readonly bias?: boolean;
  /** The images are stored as f16, so the operands may be rounded to f16 before they are multiplied; not by default. */
  readonly half?: boolean;
  /** Several products of matrices at once, plainly loaded and stored; one by default. */
  readonly layers?: MatrixLayers;
}

/** Where the matrices of a layer begin; see matrix-layers.ts. */
const beginsOf = ({ layers }: TapFusion, source: string): Begins => (layers ? { [source]: "leftFirst" } : {});

/** The store that `fusion` asks for, or of a tensor of its own. */
function storeOf({ store, bias = false, layers }: TapFusion, name: string, channels: number): Store {
  const begins: Begins = layers ? { [name]: "resultFirst" } : {};
  const own = store ?? plainStore(name, channels, allChannels(channels), begins);
  return bias ? biasedStore(own, channels) : own;
}

export function forwardProduct(g: Conv2dGeometry, fusion: TapFusion = {}): TapProduct {
  const { channels = g.outChannels } = fusion;
  return {
    kind: "forward",
    load:
      fusion.load ??
      plainLoad("x", laneFor(g.inChannels).width, allChannels(g.inChannels), beginsOf(fusion, "x")),
    store: storeOf(fusion, "y", channels),
    transposed: false,
    weightsBegin: fusion.weightsBegin ?? 0,
    taps: g.kernelHeight * g.kernelWidth,
    depth: g.inChannels,
    channels,
    weightsChannels: g.outChannels,
    phases: 1,
    rows: g.batch * g.outHeight * g.outWidth,
    params: {
      batch: u32(g.batch),
      sourceHeight: i32(g.inHeight),
      sourceWidth: i32(g.inWidth),
      depth: u32(g.inChannels),
      resultHeight: u32(g.outHeight),
      resultWidth: u32(g.outWidth),
      channels: u32(channels),
      kernelHeight: u32(g.kernelHeight),
      kernelWidth: u32(g.kernelWidth),
      padTop: u32(g.padTop),
      padLeft: u32(g.padLeft),
      scaleY: i32(g.strideY),
      scaleX: i32(g.strideX),
      direction: i32(1),
    },
    half: fusion.half ?? false,
    layers: fusion.layers ?? null,
  };
}

export function backwardDataProduct(g: Conv2dGeometry, fusion: TapFusion = {}): TapProduct {
  const { channels = g.inChannels } = fusion;
  const phases = g.strideY * g.strideX;
  return {
    kind: "backwardData",
    load:
      fusion.load ??
      plainLoad("dy", laneFor(g.outChannels).width, allChannels(g.outChannels), beginsOf(fusion, "dy")),
    store: storeOf(fusion, "dx", channels),
    transposed: true,
    weightsBegin: fusion.weightsBegin ?? 0,
    taps: g.kernelHeight * g.kernelWidth,
    depth: g.outChannels,
    channels,
    weightsChannels: g.inChannels,
    phases,
    rows: g.batch * Math.ceil(g.inHeight / g.strideY) * Math.ceil(g.inWidth / g.strideX),
    params: {
      batch: u32(g.batch),
      sourceHeight: i32(g.outHeight),
      sourceWidth: i32(g.outWidth),
      depth: u32(g.outChannels),
      resultHeight: u32(g.inHeight),
      resultWidth: u32(g.inWidth),
      channels: u32(channels),
      kernelHeight: u32(g.kernelHeight),
      kernelWidth: u32(g.kernelWidth),
      padTop: u32(g.padTop),
      padLeft: u32(g.padLeft),
      ...(phases > 1 && { phasesY: u32(g.strideY), phasesX: u32(g.strideX) }),
      scaleY: i32(1),
      scaleX: i32(1),
      direction: i32(-1),
    },
    half: fusion.half ?? false,
    layers: fusion.layers ?? null,
  };
}

/** The tile of a product, and what it was chosen for. */
export function tapTiling(target: KernelTarget, product: TapProduct): Tiling {
  const { kind, rows, channels, depth, taps, phases, half, load, store, layers } = product;
  const request = requestFor(target, {
    kind,
    rows,
    columns: channels,
    depth,
    taps,
    phases,
    layers: layers?.count ?? 1,
    half,
    left: { buffers: Object.keys(load.read), width: load.width },
    store: { buffers: Object.keys({ ...store.read, ...store.write }), width: store.width },
  });
  return { request, tile: tileOf(target, request) };
}

/**
 * What a kernel needs of the layers: uniforms, WGSL that declares the workgroup's `phase` and where its matrices begin, and the text of where
 * its weights do, in lanes of `weightsWidth`.
 */
export function layersOf(
  { layers, rows, depth, channels, weightsChannels, load, store }: TapProduct,
  weightsWidth: 4 | 1,
): { params: Record<string, Uniform>; text: string; weightsBegin: string } {
  const phase = (index: string): string => `let phase = phaseOf(${index});`;
  if (!layers) return { params: {}, text: phase("group.z"), weightsBegin: "params.weightsBegin" };
  const { params, text } = matrixLayersText(layers, {
    left: (rows * depth) / load.width,
    right: (depth * weightsChannels) / weightsWidth,
    result: (rows * channels) / store.width,
  });
  return {
    params,
    text: `${phase("0u")}\n  let layer = group.z;\n  ${text}`,
    weightsBegin: "(params.weightsBegin + rightFirst)",
  };
}

/**
 * WGSL that walks a phase's rows and taps: `phaseOf` the taps and the extents of a phase, `pixelOf` one of its rows,
 * `kernelTap` where a tap's weights lie, `sourcePixel` which pixel of the source lies under it (−1: outside).
 */
export function walkText({ phases }: TapProduct): string {
  const [phasesY, phasesX] = phases > 1 ? ["params.phasesY", "params.phasesX"] : ["1u", "1u"];
  return /* wgsl */ `
struct Phase {
  y: u32, x: u32, height: u32, width: u32,
  firstKy: u32, firstKx: u32, tapsY: u32, tapsX: u32, shiftY: i32, shiftX: i32,
}
struct Pixel { image: i32, sourceY: i32, sourceX: i32, result: u32 }

fn phaseOf(index: u32) -> Phase {
  let y = index / ${phasesX};
  let x = index - y * ${phasesX};
  let ky = (y + params.padTop) % ${phasesY};
  let kx = (x + params.padLeft) % ${phasesX};
  return Phase(
    y, x,
    (params.resultHeight + ${phasesY} - 1u - y) / ${phasesY},
    (params.resultWidth + ${phasesX} - 1u - x) / ${phasesX},
    ky, kx,
    (params.kernelHeight + ${phasesY} - 1u - ky) / ${phasesY},
    (params.kernelWidth + ${phasesX} - 1u - kx) / ${phasesX},
    params.direction * i32((y + params.padTop - ky) / ${phasesY}),
    params.direction * i32((x + params.padLeft - kx) / ${phasesX}),
  );
}

fn pixelOf(phase: Phase, row: u32) -> Pixel {
  let line = row / phase.width;
  let image = line / phase.height;
  let y = line - image * phase.height;
  let x = row - line * phase.width;
  let resultY = image * params.resultHeight + y * ${phasesY} + phase.y;
  return Pixel(
    i32(image) * params.sourceHeight,
    i32(y) * params.scaleY - phase.shiftY,
    i32(x) * params.scaleX - phase.shiftX,
    resultY * params.resultWidth + x * ${phasesX} + phase.x,
  );
}

fn kernelTap(phase: Phase, tapY: u32, tapX: u32) -> u32 {
  return (phase.firstKy + tapY * ${phasesY}) * params.kernelWidth + phase.firstKx + tapX * ${phasesX};
}

fn sourcePixel(pixel: Pixel, tapY: u32, tapX: u32) -> i32 {
  let y = pixel.sourceY + params.direction * i32(tapY);
  let x = pixel.sourceX + params.direction * i32(tapX);
  let inside = (y >= 0) & (y < params.sourceHeight) & (x >= 0) & (x < params.sourceWidth);
  return select(-1, (pixel.image + y) * params.sourceWidth + x, inside);
}
`;
}
