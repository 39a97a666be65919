import type { Tensor } from "../graph.ts";
import { shapeText, sizeOf } from "../shape.ts";

/**
 * Extent of the last axis of `x` and the number of rows (all other axes) that each item of the batch has.
 *
 * @throws Error when `x` has no axis but the last, so that nothing is left to be the batch, or holds no floats.
 */
export function lastAxis(op: string, x: Tensor): { extent: number; rowsPerItem: number } {
  if (x.shape.length < 2 || x.dtype === "u32") {
    throw new Error(
      `${op} takes floats [batch, .., channels]; "${x.name}" is ${x.dtype} ${shapeText(x.shape)}.`,
    );
  }
  return { extent: x.shape[x.shape.length - 1], rowsPerItem: sizeOf(x.shape.slice(1, -1)) };
}

/**
 * Checks that `labels` is u32 with one value for each row of `logits`.
 *
 * @throws Error when it is not.
 */
export function checkLabels(op: string, logits: Tensor, labels: Tensor): void {
  const rows = shapeText(logits.shape.slice(0, -1));
  if (labels.dtype !== "u32" || shapeText(labels.shape) !== rows) {
    throw new Error(
      `${op}: the logits "${logits.name}" ${shapeText(logits.shape)} take u32 labels ${rows}; "${labels.name}" is ` +
        `${labels.dtype} ${shapeText(labels.shape)}.`,
    );
  }
}
