import { windowAxis } from "../text/window.ts";
import type { Padding } from "../text/window.ts";

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
  const what = "A convolution takes";
  const rows = windowAxis(what, "y", { input: inHeight, size: kernelHeight, stride: strideY, padding });
  const columns = windowAxis(what, "x", { input: inWidth, size: kernelWidth, stride: strideX, padding });
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

/**
 * Floating-point operations that each pair of an input and an output channel takes, forward or in either gradient; taps that
 * fall on the padding are counted.
 */
export const tapFlops = (g: Conv2dGeometry): number =>
  2 * g.batch * g.outHeight * g.outWidth * g.kernelHeight * g.kernelWidth;
