/**
 * @file The matrix product behind a convolution's gradient by weights, and how its sum is split.
 *
 *     dw[ky, kx, ci, co] = Σ over pixels (n, oy, ox) of x[n, oy·stride + ky − pad, ox·stride + kx − pad, ci] · dy[n, oy, ox, co]
 *
 * kh·kw·Cin rows, Cout columns, and a sum over every pixel of `dy`. It is cut into `splits` partial sums, each a dispatch
 * layer of its own: they make enough work for a GPU where the matrix is small, and keep the chains of additions short.
 */
import { i32, u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";
import type { Conv2dGeometry } from "./geometry.ts";

export interface WeightsProduct {
  readonly label: string;
  readonly geometry: Conv2dGeometry;
  readonly rows: number;
  readonly columns: number;
  readonly params: Record<string, Uniform>;
}

/** Pixels that one partial sum may add up, for accuracy. */
const LONGEST_SUM = 2048;
/** Pixels under which a partial sum is not worth its write and read. */
const SHORTEST_SUM = 64;
/** Pixels of a line of {@link asLines}. */
const LONGEST_LINE = 128;

export function weightsProduct(geometry: Conv2dGeometry): WeightsProduct {
  const g = asLines(geometry);
  return {
    label: "conv2d_backward_weights",
    geometry: g,
    rows: g.kernelHeight * g.kernelWidth * g.inChannels,
    columns: g.outChannels,
    params: {
      inHeight: i32(g.inHeight),
      inWidth: i32(g.inWidth),
      inChannels: u32(g.inChannels),
      outHeight: u32(g.outHeight),
      outWidth: u32(g.outWidth),
      outChannels: u32(g.outChannels),
      kernelWidth: u32(g.kernelWidth),
      strideY: i32(g.strideY),
      strideX: i32(g.strideX),
      padTop: i32(g.padTop),
      padLeft: i32(g.padLeft),
      rows: u32(g.kernelHeight * g.kernelWidth * g.inChannels),
    },
  };
}

/**
 * Into how many partial sums to cut: enough that `tiles` tiles each make `enough` workgroups, none longer than is good for
 * accuracy, all of them together within one binding.
 */
export function splitCount(
  target: KernelTarget,
  { geometry: g, rows, columns }: WeightsProduct,
  tiles: number,
  enough: number,
): number {
  const pixels = g.batch * g.outHeight * g.outWidth;
  const forWork = Math.min(Math.ceil(enough / tiles), Math.floor(pixels / SHORTEST_SUM));
  const most = Math.min(
    target.maxWorkgroupsPerDimension,
    Math.floor(target.maxBindingBytes / (4 * rows * columns)),
  );
  return Math.max(1, Math.min(most, Math.max(forWork, Math.ceil(pixels / LONGEST_SUM))));
}

/**
 * A pointwise convolution does not care where its pixels lie: many short lines of pixels (a 2×2 image has two of two) are
 * laid out as fewer, longer ones.
 */
function asLines(g: Conv2dGeometry): Conv2dGeometry {
  const pointwise =
    g.kernelHeight * g.kernelWidth * g.strideY * g.strideX === 1 &&
    g.inHeight === g.outHeight &&
    g.inWidth === g.outWidth;
  if (!pointwise) return g;
  const pixels = g.batch * g.outHeight * g.outWidth;
  let width = LONGEST_LINE;
  while (pixels % width !== 0) width--;
  if (width <= g.outWidth) return g;
  return {
    ...g,
    batch: 1,
    inHeight: pixels / width,
    outHeight: pixels / width,
    inWidth: width,
    outWidth: width,
  };
}
