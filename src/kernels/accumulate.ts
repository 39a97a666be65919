import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";
import { severalTensors } from "./text/several-tensors.ts";

/** Tensors that {@link accumulateScaled} takes at once, within the 8 storage buffers that every adapter has. */
export const ACCUMULATED_TENSORS = 3;

/** `sum0 += share · x0`, `sum1 += share · x1`, .. of `lengths` f32 each; `share`: `[1]`. */
export function accumulateScaled(target: KernelTarget, lengths: readonly number[]): Kernel {
  const { width, float } = laneFor(...lengths);
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => `store_sum${i}(first, load_sum${i}(first) + load_share(0) * load_x${i}(first));`,
  );
  return perItemKernel(target, count, {
    label: `accumulate_${lengths.length}`,
    read: { share: "array<f32>", ...numbered("x", lengths.length, float) },
    write: numbered("sum", lengths.length, float),
    params,
    body: text,
  });
}

/** Tensors that {@link clearTensors} takes at once. */
export const CLEARED_TENSORS = 8;

/** `x0 = 0`, `x1 = 0`, .. of `lengths` f32 each. */
export function clearTensors(target: KernelTarget, lengths: readonly number[]): Kernel {
  const { width, float } = laneFor(...lengths);
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => `store_x${i}(first, ${float}());`,
  );
  return perItemKernel(target, count, {
    label: `clear_${lengths.length}`,
    read: {},
    write: numbered("x", lengths.length, float),
    params,
    body: text,
  });
}

/** The bindings `name0`, `name1`, ... */
const numbered = (name: string, tensors: number, float: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: tensors }, (_, i) => [`${name}${i}`, `array<${float}>`]));
