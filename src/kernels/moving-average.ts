import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";

/** `average0 += rate · (x0 − average0)`, `average1 += ..`, .. of `lengths` f32 each; `rate`: `[1]`. */
export function moveAverages(target: KernelTarget, lengths: readonly number[]): Kernel {
  const { width, float } = laneFor(...lengths);
  const { count, params, text } = severalTensors(
    lengths.map((length) => length / width),
    (i) => /* wgsl */ `let average = load_average${i}(first);
    store_average${i}(first, average + load_rate(0) * (load_x${i}(first) - average));`,
  );
  return perItemKernel(target, count, {
    label: `moving_average_${lengths.length}`,
    read: { rate: "array<f32>", ...numberedBuffers(["x"], lengths.length, float) },
    write: numberedBuffers(["average"], lengths.length, float),
    params,
    body: text,
  });
}
