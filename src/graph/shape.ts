/** Extents, outermost first; images are NHWC: `[batch, height, width, channels]`. A scalar is `[]`. */
export type Shape = readonly number[];

/** Both take 4 bytes an element. */
export type DType = "f32" | "u32";

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

export const bytesOf = ({ shape }: TensorType): number => 4 * sizeOf(shape);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

export const shapeText = (shape: Shape): string => `[${shape.join(", ")}]`;
