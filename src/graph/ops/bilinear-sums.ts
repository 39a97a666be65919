import { bilinearSumsBackward, bilinearSumsForward, termsOf } from "../../kernels/bilinear-sums.ts";
import type { BilinearTerms } from "../../kernels/bilinear-sums.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * The 3×3 convolution, zeros around, of an image upsampled by 2 with half-pixel centres, from the terms that a convolution of the small
 * image is made of: `terms` `[N, h, w, C]`, the transposed convolution of stride 2 of an image `[N, H + 2, W + 2, …]` whose edges are
 * repeated, to `[N, 2H, 2W, C]`. h and w are even and at least 2H + 5 and 2W + 5 ({@link termsOf}).
 *
 * @throws Error when the terms are not those of such an image.
 */
export function bilinearSums<D extends DType>(
  terms: Tensor<D>,
  [height, width]: readonly [number, number],
): Tensor<D> {
  const [batch, termsHeight, termsWidth, channels] = terms.shape;
  const fits = (extent: number, pixels: number): boolean => extent % 2 === 0 && extent >= termsOf(pixels);
  if (terms.shape.length !== 4 || !fits(termsHeight, height) || !fits(termsWidth, width)) {
    throw new Error(
      `bilinearSums takes the terms of ${height}×${width} pixels; "${terms.name}" has the shape ${shapeText(terms.shape)}.`,
    );
  }
  const shape = { height, width, channels, termsHeight, termsWidth };
  return terms.graph.apply(
    {
      name: "bilinear_sums",
      family: "pooling",
      outputs: [{ shape: [batch, 2 * height, 2 * width, channels], dtype: terms.dtype }],
      lower(l, [y]) {
        for (const range of l.slices([terms, y])) {
          const kernel = bilinearSumsForward(l.target, { ...shape, batch: range.count });
          l.dispatch(kernel, { terms: batchSlice(terms, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => bilinearSumsGradient(terms, dy!, shape)],
    },
    [terms],
  ).outputs[0];
}

function bilinearSumsGradient(terms: Tensor, dy: Tensor, shape: Omit<BilinearTerms, "batch">): Tensor {
  return dy.graph.apply(
    {
      name: "bilinear_sums_gradient",
      family: "pooling",
      outputs: [terms],
      lower(l, [dterms]) {
        for (const range of l.slices([dy, dterms])) {
          const kernel = bilinearSumsBackward(l.target, { ...shape, batch: range.count });
          l.dispatch(kernel, { dy: batchSlice(dy, range), dterms: batchSlice(dterms, range) });
        }
      },
    },
    [dy],
  ).outputs[0];
}
