import { shiftPixels } from "../../kernels/shift-pixels.ts";
import type { Sides } from "../../kernels/text/window.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";

/**
 * Zeros around each image (Keras `ZeroPadding2D`): `x` `[N, H, W, C]` to `[N, top + H + bottom, left + W + right, C]`. Without
 * any, x itself.
 *
 * @throws Error when `x` is not NHWC, or a side is not a whole number from 0.
 */
export function zeroPad2d<D extends DType>(x: Tensor<D>, sides: Sides): Tensor<D> {
  check("zeroPad2d", x, sides);
  return resize("zero_pad2d", x, sides, 1, (dy) => crop2d(dy, sides));
}

/**
 * Each image without so many pixels on each side (Keras `Cropping2D`): `x` `[N, H, W, C]` to
 * `[N, H − top − bottom, W − left − right, C]`. Without any, x itself.
 *
 * @throws Error when `x` is not NHWC, a side is not a whole number from 0, or no pixel is left.
 */
export function crop2d<D extends DType>(x: Tensor<D>, sides: Sides): Tensor<D> {
  check("crop2d", x, sides);
  const [, height, width] = x.shape;
  if (sides.top + sides.bottom >= height || sides.left + sides.right >= width) {
    throw new Error(`crop2d: ${sidesText(sides)} leaves nothing of "${x.name}" ${shapeText(x.shape)}.`);
  }
  return resize("crop2d", x, sides, -1, (dy) => zeroPad2d(dy, sides));
}

/** `sign`: 1 adds the sides, −1 takes them away. */
function resize<D extends DType>(
  name: string,
  x: Tensor<D>,
  { top, bottom, left, right }: Sides,
  sign: 1 | -1,
  gradient: (dy: Tensor) => Tensor,
): Tensor<D> {
  if (top + bottom + left + right === 0) return x;
  const [batch, height, width, channels] = x.shape;
  const to = { height: height + sign * (top + bottom), width: width + sign * (left + right) };
  const shift = { channels, from: { height, width }, to, top: sign * top, left: sign * left };
  return x.graph.apply(
    {
      name,
      family: "copy",
      outputs: [{ shape: [batch, to.height, to.width, channels], dtype: x.dtype }],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = shiftPixels(l.target, { ...shift, batch: range.count });
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => gradient(dy!)],
    },
    [x],
  ).outputs[0];
}

const sidesText = ({ top, bottom, left, right }: Sides): string =>
  `top ${top}, bottom ${bottom}, left ${left}, right ${right}`;

function check(op: string, { name, shape }: Tensor, sides: Sides): void {
  if (shape.length !== 4) {
    throw new Error(`${op} takes images [N, H, W, C]; "${name}" has the shape ${shapeText(shape)}.`);
  }
  const whole = (side: number): boolean => Number.isInteger(side) && side >= 0;
  if (![sides.top, sides.bottom, sides.left, sides.right].every(whole)) {
    throw new Error(`${op} takes whole numbers of pixels from 0, not ${sidesText(sides)}.`);
  }
}
