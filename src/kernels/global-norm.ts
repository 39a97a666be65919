/** @file The Euclidean norm of many tensors taken for one vector, several tensors a dispatch. */
import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";
import { partialSums, partialSumText } from "./sum-rows.ts";
import { numberedBuffers, severalTensors } from "./text/several-tensors.ts";

/**
 * Sums of 64 squares each: reads `x0`, `x1`, .. of `lengths` f32 each and writes their {@link partialSums}, one tensor
 * after the other, to `sums` from element `begin` on.
 */
export function sumSquares(target: KernelTarget, lengths: readonly number[], begin: number): Kernel {
  const { count, params, text } = severalTensors(lengths.map(partialSums), (i) => {
    const [partials, length, value] = [
      `params.count${i}`,
      `params.length${i}`,
      `load_x${i}(i) * load_x${i}(i)`,
    ];
    return `${partialSumText({ partials, length, value })}
    store_sums(params.begin + index, total);`;
  });
  return perItemKernel(target, count, {
    label: `sum_squares_${lengths.length}`,
    read: numberedBuffers(["x"], lengths.length, "f32"),
    write: { sums: "array<f32>" },
    params: {
      begin: u32(begin),
      ...params,
      ...Object.fromEntries(lengths.map((length, i) => [`length${i}`, u32(length)])),
    },
    body: text,
  });
}

/** `norm` `[1]` = sqrt(`squares` `[1]`). */
export function squareRoot(target: KernelTarget): Kernel {
  return perItemKernel(target, 1, {
    label: "square_root",
    read: { squares: "array<f32>" },
    write: { norm: "array<f32>" },
    body: "store_norm(index, sqrt(load_squares(index)));",
  });
}

/** `slope` `[1]` = `dy` `[1]` / `norm` `[1]`, and 0 where the norm is 0, as of all slopes there are at that point. */
export function normSlope(target: KernelTarget): Kernel {
  return perItemKernel(target, 1, {
    label: "norm_slope",
    read: { dy: "array<f32>", norm: "array<f32>" },
    write: { slope: "array<f32>" },
    body: /* wgsl */ `
  let length = load_norm(index);
  store_slope(index, 0.0);
  if (length != 0.0) { store_slope(index, load_dy(index) / length); }`,
  });
}
