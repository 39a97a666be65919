/** Extents, outermost first; images are NHWC: `[batch, height, width, channels]`. A scalar is `[]`. */
export type Shape = readonly number[];

/** `f16` is how activations may be stored; every kernel computes in f32, whatever its tensors are stored as. */
export type DType = "f32" | "f16" | "u32";

/** Of one element. */
export const BYTES: Readonly<Record<DType, number>> = { f32: 4, f16: 2, u32: 4 };

/** What is known of a tensor when the graph is built. */
export interface TensorType<D extends DType = DType> {
  /** Its extents, outermost first; images are `[N, H, W, C]`. */
  readonly shape: Shape;
  /** What its elements are. */
  readonly dtype: D;
}

/** The array that numbers of a type are in on the host: f16 is read as f32. */
export type Numbers<D extends DType = DType> = D extends "u32" ? Uint32Array : Float32Array;

/** Number of elements of a shape; 1 of a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

/** Bytes of a tensor, rounded up to 4, as WebGPU copies and binds buffers. */
export const bytesOf = ({ shape, dtype }: TensorType): number => roundUp(BYTES[dtype] * sizeOf(shape));

/** Of `count` items of a tensor along its first axis, rounded up to 4. */
export const bytesOfItems = (tensor: TensorType, count: number): number =>
  roundUp(count * bytesPerItem(tensor));

/** Of one item along the first axis: what the next one's begins after. */
export const bytesPerItem = ({ shape, dtype }: TensorType): number => BYTES[dtype] * sizeOf(shape.slice(1));

const roundUp = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** Whether two shapes have the same extents. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

/** A shape as messages have it: `[2, 64, 64, 3]`. */
export const shapeText = (shape: Shape): string => `[${shape.join(", ")}]`;

/** What was given where numbers were asked for, in words: `a Float64Array of 6`. */
export const numbersText = (values: ArrayLike<number>): string =>
  typeof values === "object" ? `a ${values.constructor.name} of ${values.length}` : `a ${typeof values}`;
