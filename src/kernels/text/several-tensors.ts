import { f32, u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";

/**
 * What a kernel takes that treats several tensors in one dispatch, one after the other: tensor `i` has `counts[i]` items.
 * WGSL cannot index bindings, so `body(i)`, the statements for tensor `i`, is written once a tensor, with `first` the item
 * within it and `params.count<i>` its items in scope.
 */
export function severalTensors(
  counts: readonly number[],
  body: (tensor: number) => string,
): { count: number; params: Record<string, Uniform>; text: string } {
  let count = 0;
  const params: Record<string, Uniform> = {};
  const branches = counts.map((items, i) => {
    params[`begin${i}`] = u32(count);
    params[`count${i}`] = u32(items);
    count += items;
    return /* wgsl */ `if (index < params.begin${i} + params.count${i}) {
    let first = index - params.begin${i};
    ${body(i)}
  }`;
  });
  return { count, params, text: branches.join(" else ") };
}

/**
 * A number of each tensor's own, in the uniform block so that other numbers are no other shader: `times(i)` begins a product with
 * that of tensor `i`, and is empty without values.
 */
export const tensorFactors = (
  name: string,
  values: readonly number[] | undefined,
): { params: Record<string, Uniform>; times: (tensor: number) => string } => ({
  params: Object.fromEntries((values ?? []).map((value, i) => [`${name}${i}`, f32(value)])),
  times: (i) => (values ? `params.${name}${i} * ` : ""),
});

/** Tensors that one dispatch can take with `each` buffers a tensor, beside `shared` buffers for all. */
export const tensorsAtOnce = ({ maxStorageBuffers }: KernelTarget, each: number, shared: number): number =>
  Math.floor((maxStorageBuffers - shared) / each);

/** The bindings `<name>0`, `<name>1`, .. of one element type, for each of `names`. */
export const numberedBuffers = (
  names: readonly string[],
  tensors: number,
  element: string,
): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => Array.from({ length: tensors }, (_, i) => [`${name}${i}`, `array<${element}>`])),
  );
