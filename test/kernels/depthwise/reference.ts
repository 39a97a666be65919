import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";

/** Of a square kernel, with padding `same`. */
export const depthwiseGeometry = (x: readonly number[], kernel: number, strides = 1): Conv2dGeometry => ({
  ...conv2dGeometry(x, [kernel, kernel, x[3], 1], { strides, padding: "same" }),
  outChannels: x[3],
});

/** Elements of `x`, `w` and `y`. */
export const depthwiseSizes = (g: Conv2dGeometry): { x: number; w: number; y: number } => ({
  x: g.batch * g.inHeight * g.inWidth * g.inChannels,
  w: g.kernelHeight * g.kernelWidth * g.inChannels,
  y: g.batch * g.outHeight * g.outWidth * g.inChannels,
});

/** Calls `visit` for every product of a depthwise convolution, with the offsets of its three factors. */
function visitProducts(g: Conv2dGeometry, visit: (x: number, w: number, y: number) => void): void {
  const channels = g.inChannels;
  for (let n = 0; n < g.batch; n++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++)
        for (let ky = 0; ky < g.kernelHeight; ky++)
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const iy = oy * g.strideY + ky - g.padTop;
            const ix = ox * g.strideX + kx - g.padLeft;
            if (iy < 0 || iy >= g.inHeight || ix < 0 || ix >= g.inWidth) continue;
            const x = ((n * g.inHeight + iy) * g.inWidth + ix) * channels;
            const y = ((n * g.outHeight + oy) * g.outWidth + ox) * channels;
            const w = (ky * g.kernelWidth + kx) * channels;
            for (let c = 0; c < channels; c++) visit(x + c, w + c, y + c);
          }
}

/** A depthwise convolution by definition, summed in double precision. */
export function referenceForward(
  g: Conv2dGeometry,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
): Float64Array {
  const y = new Float64Array(depthwiseSizes(g).y);
  visitProducts(g, (atX, atW, atY) => (y[atY] += x[atX] * w[atW]));
  return y;
}

/** Its gradient by data. */
export function referenceByData(
  g: Conv2dGeometry,
  dy: ArrayLike<number>,
  w: ArrayLike<number>,
): Float64Array {
  const dx = new Float64Array(depthwiseSizes(g).x);
  visitProducts(g, (atX, atW, atY) => (dx[atX] += dy[atY] * w[atW]));
  return dx;
}

/** Its gradient by weights. */
export function referenceByWeights(
  g: Conv2dGeometry,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
): Float64Array {
  const dw = new Float64Array(depthwiseSizes(g).w);
  visitProducts(g, (atX, atW, atY) => (dw[atW] += x[atX] * dy[atY]));
  return dw;
}
