import { sumOverPixels } from "../../kernels/image-sums.ts";
import type { PassedBackThrough } from "../../kernels/image-sums.ts";
import { imageWalk } from "../../kernels/text/image-walk.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Lowering, Operand } from "../op.ts";
import { sizeOf } from "../shape.ts";

/** Partial sums that one invocation may add. */
const MOST_PARTS = 128;

/** Pixels of each image of `x` `[N, .., C]`, and its channels. */
export const imageExtents = ({ shape }: Tensor): { pixels: number; channels: number } => ({
  pixels: sizeOf(shape.slice(1, -1)),
  channels: shape[shape.length - 1],
});

/**
 * Sums `x` `[N, .., C]`, times `factor` of its shape where that is given, over the pixels of each image, times `scale`, into `y` `[N, .., C]`,
 * of one pixel an image. They may pass `back` through an activation, whose input or output is the tensor `kept`.
 */
export function lowerImageSums(
  l: Lowering,
  { x, factor, y }: { readonly x: Tensor; readonly factor?: Tensor; readonly y: Tensor },
  scale: number,
  back: { readonly through: PassedBackThrough; readonly kept: Tensor } | null = null,
): void {
  const { pixels, channels } = imageExtents(x);
  for (const range of l.slices([x, ...(factor ? [factor] : []), ...(back ? [back.kept] : []), y])) {
    const batch = range.count;
    let walk = imageWalk(l.target, { batch, pixels, channels });
    let from: Record<string, Operand> = {
      x: batchSlice(x, range),
      ...(factor && { factor: batchSlice(factor, range) }),
    };
    while (walk.parts > 1) {
      const partials = l.scratch(4 * batch * walk.parts * channels);
      l.dispatch(sumOverPixels(walk, { product: "factor" in from }), { ...from, y: partials });
      const parts = walk.parts > MOST_PARTS ? Math.ceil(Math.sqrt(walk.parts)) : 1;
      walk = imageWalk(l.target, { batch, pixels: walk.parts, channels }, parts);
      from = { x: partials };
    }
    const last = sumOverPixels(walk, { scale, product: "factor" in from, back: back?.through ?? null });
    const kept = back && { kept: batchSlice(back.kept, range) };
    l.dispatch(last, { ...from, ...kept, y: batchSlice(y, range) });
  }
}
