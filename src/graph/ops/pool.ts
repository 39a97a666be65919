import { averagePool2dBackward, averagePool2dForward } from "../../kernels/average-pool2d.ts";
import { spreadOverPixels } from "../../kernels/image-sums.ts";
import { maxPool2dBackward, maxPool2dForward } from "../../kernels/max-pool2d.ts";
import { pool2dGeometry } from "../../kernels/text/pool2d-geometry.ts";
import type { Pool2dOptions, PoolGeometry } from "../../kernels/text/pool2d-geometry.ts";
import type { Tensor } from "../graph.ts";
import { imageExtents, lowerImageSums } from "../lowering/image-sums.ts";
import { batchSlice } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";

const outputShape = ({ batch, outputHeight, outputWidth, channels }: PoolGeometry): Shape => [
  batch,
  outputHeight,
  outputWidth,
  channels,
];

/**
 * Largest value of each window (`tf.nn.max_pool2d`): `x` `[N, H, W, C]` to `[N, OH, OW, C]`. Explicit padding is what
 * Keras's `ZeroPadding2D` before a `valid` pooling does: the zeros take part. The gradient of a window goes to its
 * largest value, of equal ones to the first in row-major order.
 *
 * @throws Error when `x` is not NHWC or no window fits.
 */
export function maxPool2d<D extends DType>(x: Tensor<D>, options: Pool2dOptions): Tensor<D> {
  const geometry = pool2dGeometry(x.shape, options);
  const shape = outputShape(geometry);
  return x.graph.apply(
    {
      name: "max_pool2d",
      family: "pooling",
      outputs: [
        { shape, dtype: x.dtype },
        { shape, dtype: "u32" },
      ],
      lower(l, [y, positions]) {
        for (const range of l.slices([x, y, positions])) {
          l.dispatch(maxPool2dForward(l.target, { ...geometry, batch: range.count }), {
            x: batchSlice(x, range),
            y: batchSlice(y, range),
            positions: batchSlice(positions, range),
          });
        }
      },
      gradient: ([dy], [, positions]) => [() => maxPool2dGradient(x, positions, dy!, geometry)],
    },
    [x],
  ).outputs[0];
}

function maxPool2dGradient(x: Tensor, positions: Tensor, dy: Tensor, geometry: PoolGeometry): Tensor {
  return dy.graph.apply(
    {
      name: "max_pool2d_gradient",
      family: "pooling",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([positions, dy, dx])) {
          l.dispatch(maxPool2dBackward(l.target, { ...geometry, batch: range.count }), {
            positions: batchSlice(positions, range),
            dy: batchSlice(dy, range),
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [positions, dy],
  ).outputs[0];
}

/**
 * Mean of each window (`tf.nn.avg_pool2d`): `x` `[N, H, W, C]` to `[N, OH, OW, C]`. With `same` padding a window counts
 * only the pixels inside the image; explicit padding counts as zeros.
 *
 * @throws Error when `x` is not NHWC or no window fits.
 */
export function averagePool2d<D extends DType>(x: Tensor<D>, options: Pool2dOptions): Tensor<D> {
  const geometry = pool2dGeometry(x.shape, options);
  return x.graph.apply(
    {
      name: "average_pool2d",
      family: "pooling",
      outputs: [{ shape: outputShape(geometry), dtype: x.dtype }],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          l.dispatch(averagePool2dForward(l.target, { ...geometry, batch: range.count }), {
            x: batchSlice(x, range),
            y: batchSlice(y, range),
          });
        }
      },
      gradient: ([dy]) => [() => averageGradient(x, dy!, geometry)],
    },
    [x],
  ).outputs[0];
}

/**
 * Mean over all pixels of each image (Keras `GlobalAveragePooling2D`): `x` `[N, H, W, C]` to `[N, C]`.
 *
 * @throws Error when `x` is not NHWC.
 */
export function globalAveragePool2d<D extends DType>(x: Tensor<D>): Tensor<D> {
  if (x.shape.length !== 4) {
    throw new Error(`globalAveragePool2d takes images [N, H, W, C]; "${x.name}" is ${shapeText(x.shape)}.`);
  }
  const { pixels, channels } = imageExtents(x);
  return x.graph.apply(
    {
      name: "global_average_pool2d",
      family: "pooling",
      outputs: [{ shape: [x.shape[0], channels], dtype: x.dtype }],
      lower: (l, [y]) => lowerImageSums(l, { x, y }, 1 / pixels),
      gradient: ([dy]) => [() => globalAverageGradient(x, dy!)],
    },
    [x],
  ).outputs[0];
}

function globalAverageGradient(x: Tensor, dy: Tensor): Tensor {
  const { pixels, channels } = imageExtents(x);
  return dy.graph.apply(
    {
      name: "global_average_pool2d_gradient",
      family: "pooling",
      outputs: [x],
      pattern: { kind: "spread", values: dy, scale: 1 / pixels },
      lower(l, [dx]) {
        for (const range of l.slices([dy, dx])) {
          const kernel = spreadOverPixels(l.target, { batch: range.count, pixels, channels }, 1 / pixels);
          l.dispatch(kernel, { factor: batchSlice(dy, range), y: batchSlice(dx, range) });
        }
      },
    },
    [dy],
  ).outputs[0];
}

function averageGradient(x: Tensor, dy: Tensor, geometry: PoolGeometry): Tensor {
  return dy.graph.apply(
    {
      name: "average_pool2d_gradient",
      family: "pooling",
      outputs: [x],
      lower(l, [dx]) {
        for (const range of l.slices([dy, dx])) {
          l.dispatch(averagePool2dBackward(l.target, { ...geometry, batch: range.count }), {
            dy: batchSlice(dy, range),
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [dy],
  ).outputs[0];
}
