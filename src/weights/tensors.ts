/**
 * @file Weights in host memory, and the one scheme of names every reader brings them to.
 *
 * A weight is named as Keras names it, without the `:0` of TensorFlow: `conv1/conv/kernel`,
 * `conv1/bn/moving_variance`, `conv2_block1_1_conv/kernel`, `fc1000/bias`. Layouts are Keras's too: convolution
 * kernels HWIO, transposed ones HWOI, dense ones (in, out).
 */

/** The element types a weight can have here. */
export type TensorData = Float32Array | Uint32Array | Int32Array;

/** A dense row-major array in host memory; a scalar has shape `[]`. */
export interface HostTensor {
  /** Its extents, outermost first. */
  readonly shape: readonly number[];
  /** Its elements in row-major order. */
  readonly data: TensorData;
}

/** Weights by name. */
export type NamedTensors = Map<string, HostTensor>;

/** What a weights file says about itself besides its tensors. */
export type Metadata = Record<string, string>;

/**
 * The number of elements of a shape, or `undefined` when it is not a shape that any array can have (an extent
 * that is negative or no integer, or a product beyond 2^53).
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) return undefined;
    count *= extent;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** A shape as it is printed in messages: `[7, 7, 3, 64]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/**
 * The name of a weight without what the file formats add: a leading slash, TensorFlow's output index `:0`, and
 * the layer's name said twice (`conv1/bn/conv1/bn/gamma:0`, since HDF5 groups carry it as well).
 */
export function kerasWeightName(raw: string): string {
  const parts = raw.replace(/^\/+/, "").replace(/:\d+$/, "").split("/");
  const layerParts = parts.length - 1;
  for (let length = Math.floor(layerParts / 2); length > 0; length--) {
    const repeats = parts.slice(0, length).every((part, i) => part === parts[length + i]);
    if (repeats) return parts.slice(length).join("/");
  }
  return parts.join("/");
}

/** The nearest integers of 32 bits: nothing that counts beyond is a weight. */
export function int32FromInt64(values: BigInt64Array): Int32Array {
  return Int32Array.from(values, (value) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Number(value))));
}
