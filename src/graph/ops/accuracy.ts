import { equalForward } from "../../kernels/equal.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import { argmax } from "./argmax.ts";
import { checkLabels, lastAxis } from "./last-axis.ts";
import { lowerPixelMean, pixelMeanShape } from "./pixel-mean.ts";
import type { PixelMeanOptions } from "./pixel-mean.ts";

/**
 * Share of pixels whose largest of `logits` `[N, .., classes]` is that of their label in `labels` `[N, ..]` (u32), as
 * Keras `SparseCategoricalAccuracy`: a scalar, or with `reduction: "per-image"` one share an image, `[N]`. It has no
 * gradient.
 *
 * @throws Error when the labels are not u32 or do not fit the logits.
 */
export function accuracy(logits: Tensor, labels: Tensor, options: PixelMeanOptions = {}): Tensor {
  const { rowsPerItem } = lastAxis("accuracy", logits);
  checkLabels("accuracy", logits, labels);
  const predicted = argmax(logits);
  const batch = logits.shape[0];
  return logits.graph.apply(
    {
      name: "accuracy",
      outputs: [{ shape: pixelMeanShape(options, batch), dtype: "f32" }],
      lower(l, [y]) {
        lowerPixelMean(l, y, batch, rowsPerItem, l.slices([predicted, labels]), (equal, range) => {
          l.dispatch(equalForward(l.target, range.count * rowsPerItem), {
            a: slice(predicted, range),
            b: slice(labels, range),
            y: equal,
          });
        });
      },
    },
    [predicted, labels],
  ).outputs[0];
}
