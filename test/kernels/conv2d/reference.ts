import type { Conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";

/** Calls `visit` for every product of a convolution, with the offsets of its three factors. */
function visitProducts(g: Conv2dGeometry, visit: (x: number, w: number, y: number) => void): void {
  for (let n = 0; n < g.batch; n++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++)
        for (let ky = 0; ky < g.kernelHeight; ky++)
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const iy = oy * g.strideY + ky - g.padTop;
            const ix = ox * g.strideX + kx - g.padLeft;
            if (iy < 0 || iy >= g.inHeight || ix < 0 || ix >= g.inWidth) continue;
            const x = ((n * g.inHeight + iy) * g.inWidth + ix) * g.inChannels;
            const y = ((n * g.outHeight + oy) * g.outWidth + ox) * g.outChannels;
            const w = (ky * g.kernelWidth + kx) * g.inChannels * g.outChannels;
            for (let ci = 0; ci < g.inChannels; ci++)
              for (let co = 0; co < g.outChannels; co++) visit(x + ci, w + ci * g.outChannels + co, y + co);
          }
}

/** Elements of `x`, `w` and `y`. */
export const sizes = (g: Conv2dGeometry): { x: number; w: number; y: number } => ({
  x: g.batch * g.inHeight * g.inWidth * g.inChannels,
  w: g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels,
  y: g.batch * g.outHeight * g.outWidth * g.outChannels,
});

/** A convolution and its two gradients by definition, summed in double precision. */
export function referenceConv2d(
  g: Conv2dGeometry,
  { x, w, dy }: { x: ArrayLike<number>; w: ArrayLike<number>; dy: ArrayLike<number> },
): { y: Float64Array; dx: Float64Array; dw: Float64Array } {
  const size = sizes(g);
  const y = new Float64Array(size.y);
  const dx = new Float64Array(size.x);
  const dw = new Float64Array(size.w);
  visitProducts(g, (atX, atW, atY) => {
    y[atY] += x[atX] * w[atW];
    dx[atX] += dy[atY] * w[atW];
    dw[atW] += x[atX] * dy[atY];
  });
  return { y, dx, dw };
}

/** `count` numbers in [−1, 1) that are the same for the same seed. */
export function numbers(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
