/** @file Windows that slide over an image: where they lie along one axis, for convolutions and pooling alike. */

/** Rows and columns of pixels on each side of an image, whole numbers from 0. */
export interface Sides {
  /** Rows above. */
  readonly top: number;
  /** Rows below. */
  readonly bottom: number;
  /** Columns on the left. */
  readonly left: number;
  /** Columns on the right. */
  readonly right: number;
}

/**
 * Around an image: as TensorFlow's `same` (uneven, the extra row and column at the bottom and right) and `valid` (nothing),
 * or explicit zeros on each side (Keras `ZeroPadding2D`, then `valid`).
 */
export type Padding = "same" | "valid" | Sides;

export interface WindowAxis {
  /** How many windows there are. */
  readonly output: number;
  /** What the first window covers before the image begins. */
  readonly before: number;
}

/**
 * The windows of `size` at every `stride` along an axis of `input` pixels, rows (`y`) or columns (`x`); `output` is below 1
 * when none fits. `what` begins the message when something is wrong: "A convolution takes", "Pooling takes".
 *
 * @throws Error when explicit padding is not made of whole numbers from 0.
 */
export function windowAxis(
  what: string,
  along: "y" | "x",
  { input, size, stride, padding }: { input: number; size: number; stride: number; padding: Padding },
): WindowAxis {
  if (padding === "same") {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + size - input, 0);
    return { output, before: Math.floor(total / 2) };
  }
  const [first, last] = along === "y" ? (["top", "bottom"] as const) : (["left", "right"] as const);
  const [before, after] = padding === "valid" ? [0, 0] : [padding[first], padding[last]];
  if (![before, after].every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw new Error(`${what} padding of whole numbers from 0, not ${first} ${before}, ${last} ${after}.`);
  }
  return { output: Math.floor((input + before + after - size) / stride) + 1, before };
}
