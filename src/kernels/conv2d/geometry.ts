/**
 * Zeros around an image: as TensorFlow's `same` (uneven, the extra row and column at the bottom and right) and `valid`
 * (none), or explicit zeros on each side (Keras `ZeroPadding2D`, then `valid`).
 */
export type Padding =
  | "same"
  | "valid"
  | { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };

/**
 * The geometry of a convolution `x` `[N, H, W, Cin]` → `y` `[N, Ho, Wo, Cout]` with a kernel HWIO `[kh, kw, Cin, Cout]`:
 * `y[n, oy, ox, co] = Σ x[n, oy·strideY + ky − padTop, ox·strideX + kx − padLeft, ci] · w[ky, kx, ci, co]`.
 *
 * Its two gradients have the same geometry. A transposed convolution is the gradient by `x` of the convolution from its
 * output's shape to its input's, so it has the geometry of that one.
 */
export interface Conv2dGeometry {
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  /** Zeros above and left of the image; those below and right follow from the extents. */
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Works out the geometry of a convolution of `xShape` NHWC with `kernelShape` HWIO.
 *
 * @throws Error when a shape is not of rank 4, the channels do not fit, an option is not a whole number in range, or
 *   the kernel is larger than the padded image.
 */
export function conv2dGeometry(
  xShape: readonly number[],
  kernelShape: readonly number[],
  options: { readonly strides: number | readonly [y: number, x: number]; readonly padding: Padding },
): Conv2dGeometry {
  if (xShape.length !== 4 || kernelShape.length !== 4) {
    throw new Error(
      `A convolution takes images [N, H, W, C] and a kernel [height, width, in, out], not the shapes ` +
        `[${xShape.join(", ")}] and [${kernelShape.join(", ")}].`,
    );
  }
  const [batch, inHeight, inWidth, inChannels] = xShape;
  const [kernelHeight, kernelWidth, kernelChannels, outChannels] = kernelShape;
  if (kernelChannels !== inChannels) {
    throw new Error(
      `A convolution of images with ${inChannels} channels needs a kernel [height, width, ${inChannels}, out], ` +
        `not [${kernelShape.join(", ")}].`,
    );
  }
  const { strides, padding } = options;
  const [strideY, strideX] = typeof strides === "number" ? [strides, strides] : strides;
  for (const stride of [strideY, strideX]) {
    if (!Number.isInteger(stride) || stride < 1) {
      throw new Error(`A convolution takes strides of whole numbers from 1, not ${strideY}×${strideX}.`);
    }
  }
  const rows = axis(inHeight, kernelHeight, strideY, along(padding, "top", "bottom"));
  const columns = axis(inWidth, kernelWidth, strideX, along(padding, "left", "right"));
  if (rows.output < 1 || columns.output < 1) {
    throw new Error(
      `A kernel of ${kernelHeight}×${kernelWidth} does not fit into an image of ${inHeight}×${inWidth}: use a ` +
        `smaller kernel, a larger image or more padding.`,
    );
  }
  return {
    batch,
    inHeight,
    inWidth,
    inChannels,
    outHeight: rows.output,
    outWidth: columns.output,
    outChannels,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    padTop: rows.before,
    padLeft: columns.before,
  };
}

type AxisPadding = "same" | readonly [before: number, after: number];

function along(padding: Padding, before: "top" | "left", after: "bottom" | "right"): AxisPadding {
  if (padding === "same") return padding;
  if (padding === "valid") return [0, 0];
  const both = [padding[before], padding[after]] as const;
  if (both.some((extent) => !Number.isInteger(extent) || extent < 0)) {
    throw new Error(
      `A convolution takes padding of whole numbers from 0, not ${before} ${both[0]}, ${after} ${both[1]}.`,
    );
  }
  return both;
}

function axis(
  input: number,
  kernel: number,
  stride: number,
  padding: AxisPadding,
): { output: number; before: number } {
  if (padding === "same") {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + kernel - input, 0);
    return { output, before: Math.floor(total / 2) };
  }
  const [before, after] = padding;
  return { output: Math.floor((input + before + after - kernel) / stride) + 1, before };
}
