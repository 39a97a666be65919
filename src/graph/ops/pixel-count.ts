import { countPixels } from "../../kernels/pixel-count.ts";
import { partialSums } from "../../kernels/sum-rows.ts";
import type { Tensor } from "../graph.ts";
import { lowerSum } from "../lowering/lower-sum.ts";
import { pixelMeanShape } from "../lowering/pixel-mean.ts";
import type { PixelMeanOptions } from "../lowering/pixel-mean.ts";
import { batchSlice } from "../op.ts";
import { shapeText, sizeOf } from "../shape.ts";

/**
 * How many of `labels` `[N, ..]` (u32) are not `ignoreLabel`: f32, `[]` or, with `reduction: "per-image"`, `[N]`. Exact up to
 * 2²⁴ and rounded beyond. It has no gradient.
 *
 * @throws Error when the labels are not u32 `[N, ..]`, or `ignoreLabel` is no u32.
 */
export function pixelCount(
  labels: Tensor,
  ignoreLabel: number,
  options: PixelMeanOptions = {},
): Tensor<"f32"> {
  if (labels.dtype !== "u32" || labels.shape.length === 0) {
    const { name, dtype, shape } = labels;
    throw new Error(`pixelCount takes u32 labels [batch, ..]; "${name}" is ${dtype} ${shapeText(shape)}.`);
  }
  if (!Number.isInteger(ignoreLabel) || ignoreLabel < 0 || ignoreLabel > 0xffffffff)
    throw new Error(
      `The label to ignore must be a whole number from 0 to ${0xffffffff}, not ${ignoreLabel}.`,
    );
  const [batch] = labels.shape;
  const perItem = sizeOf(labels.shape.slice(1));
  return labels.graph.apply(
    {
      name: "pixel_count",
      family: "loss",
      outputs: [{ shape: pixelMeanShape(options, batch), dtype: "f32" }],
      lower(l, [count]) {
        const images = count.shape.length === 0 ? l.scratch(4 * batch) : count;
        for (const range of l.slices([labels])) {
          const counts = l.scratch(4 * range.count * partialSums(perItem));
          const kernel = countPixels(l.target, range.count, perItem, ignoreLabel);
          l.dispatch(kernel, { labels: batchSlice(labels, range), counts });
          lowerSum(l, counts, range.count, partialSums(perItem), images, { begin: range.first });
        }
        if ("scratch" in images) lowerSum(l, images, 1, batch, count);
      },
    },
    [labels],
  ).outputs[0];
}
