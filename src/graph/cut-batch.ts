/** @file What is too large for one binding is worked on in ranges of the batch. */
import type { KernelTarget } from "../kernels/kernel.ts";
import type { BatchRange, Sliceable } from "./op.ts";
import { bytesOf, bytesPerItem, shapeText } from "./shape.ts";
import type { TensorType } from "./shape.ts";

/** What of an adapter decides how the batch is cut. */
export type BatchLimits = Pick<KernelTarget, "maxBindingBytes" | "maxBufferBytes" | "offsetAlignment">;

/** See `Lowering.slices`. */
export function cutBatch(tensors: readonly Sliceable[], limits: BatchLimits): BatchRange[] {
  const batch = tensors[0].shape[0] ?? 1;
  for (const tensor of tensors) {
    if ((tensor.shape[0] ?? 1) !== batch) {
      throw new Error(`"${tensor.name}" ${shapeText(tensor.shape)} does not have the batch size ${batch}.`);
    }
  }
  const count = itemsAtOnce(tensors, limits);
  if (count < 1) {
    const largest = tensors.reduce((a, b) => (bytesOf(b) > bytesOf(a) ? b : a));
    throw new Error(
      `"${largest.name}" ${shapeText(largest.shape)} cannot be cut along the batch into bindings of at most ` +
        `${limits.maxBindingBytes} bytes, the adapter's limit: use a smaller image size.`,
    );
  }
  const ranges: BatchRange[] = [];
  for (let first = 0; first < batch; first += count)
    ranges.push({ first, count: Math.min(count, batch - first) });
  return ranges;
}

/** Whether an adapter can hold a tensor and bind it, if only in ranges of its batch. */
export const canHold = (tensor: TensorType, limits: BatchLimits): boolean =>
  bytesOf(tensor) <= limits.maxBufferBytes && itemsAtOnce([tensor], limits) > 0;

/** Whether a dispatch can bind all of `tensors`, if only in ranges of their batch. */
export const canCut = (tensors: readonly TensorType[], limits: BatchLimits): boolean =>
  tensors.length === 0 || itemsAtOnce(tensors, limits) > 0;

/** How many items of a batch a dispatch may take: all, or as many as can be bound, from where a binding may begin. */
function itemsAtOnce(tensors: readonly TensorType[], limits: BatchLimits): number {
  const batch = tensors[0].shape[0] ?? 1;
  let most = batch;
  let multiple = 1;
  for (const tensor of tensors) {
    const perItem = bytesPerItem(tensor);
    most = Math.min(most, Math.floor(limits.maxBindingBytes / perItem));
    multiple = leastCommonMultiple(
      multiple,
      limits.offsetAlignment / greatestCommonDivisor(perItem, limits.offsetAlignment),
    );
  }
  return most >= batch ? batch : Math.floor(most / multiple) * multiple;
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);
const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;
