import * as tf from "@tensorflow/tfjs-core";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../../../src/graph/ops/pool.ts";
import { crop2d, zeroPad2d } from "../../../src/graph/ops/pad2d.ts";
import { upsampleBilinear2x } from "../../../src/graph/ops/upsample-bilinear2x.ts";
import { upsampleNearest2x } from "../../../src/graph/ops/upsample-nearest2x.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { opCase } from "../kernel-case.ts";
import type { KernelCase } from "../kernel-case.ts";
import { bilinearTwice } from "../bilinear-twice.ts";
import { repeatedTwice } from "../repeated-twice.ts";

type Padding = "same" | "valid" | number;
type Pool = typeof tf.avgPool<tf.Tensor4D>;

const zeroPad = (x: tf.Tensor4D, before: number, after: number): tf.Tensor4D =>
  tf.pad(x, [[0, 0], [before, after], [before, after], [0, 0]]); // prettier-ignore

const around = (pixels: number) => ({ top: pixels, bottom: pixels, left: pixels, right: pixels });

/** Windows of `size` × `size`; a number as padding is that many zeros on each side, which take part. */
function pooling(
  kind: "max" | "average",
  size: number,
  strides: number,
  padding: Padding,
  x: Shape,
  reference?: (x: tf.Tensor4D) => tf.Tensor,
): KernelCase {
  const ours = kind === "max" ? maxPool2d : averagePool2d;
  const theirs: Pool = kind === "max" ? tf.maxPool : tf.avgPool;
  const explicit = typeof padding === "number";
  const options = { poolSize: size, strides, padding: explicit ? around(padding) : padding };
  return opCase(
    `${kind}_pool2d ${size}×${size}/${strides} ${explicit ? `zero pad ${padding}` : padding}`,
    { x },
    (x) => ours(x, options),
    (x) => {
      const image = x as tf.Tensor4D;
      if (reference) return reference(image);
      if (explicit) return theirs(zeroPad(image, padding, padding), size, strides, "valid");
      return theirs(image, size, strides, padding);
    },
  );
}

/**
 * 3×3 windows of stride 2, `same`, over images whose sides are all even or all odd. The gradient of tfjs's own `same`
 * divides by the whole window at the edge, where its forward (and TensorFlow) divides by the pixels inside; here the
 * division is an op of its own.
 */
function averageOfPixelsInside(x: tf.Tensor4D): tf.Tensor {
  const before = x.shape[1] % 2;
  const mean = (t: tf.Tensor4D): tf.Tensor => tf.avgPool(zeroPad(t, before, 1), 3, 2, "valid");
  return tf.div(mean(x), mean(tf.onesLike(x)));
}

const ODD = [2, 7, 9, 5];
const EVEN = [2, 8, 6, 16];

export const poolingCases: readonly KernelCase[] = [ODD, EVEN].flatMap((x) => [
  pooling("max", 3, 2, 1, x),
  pooling("max", 3, 2, "same", x),
  pooling("max", 2, 2, "valid", x),
  pooling("average", 2, 2, "valid", x),
  pooling("average", 3, 2, "same", x, averageOfPixelsInside),
  opCase("global_average_pool2d", { x }, globalAveragePool2d, (x) => tf.mean(x, [1, 2])),
  opCase(
    "zero_pad2d",
    { x },
    (x) => zeroPad2d(x, { top: 1, bottom: 2, left: 0, right: 3 }),
    (x) => tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]), // prettier-ignore
  ),
  opCase(
    "crop2d",
    { x },
    (x) => crop2d(x, { top: 1, bottom: 2, left: 0, right: 3 }),
    (x) => tf.slice(x, [0, 1, 0, 0], [-1, x.shape[1]! - 3, x.shape[2]! - 3, -1]),
  ),
  opCase("upsample_nearest2x", { x }, upsampleNearest2x, repeatedTwice),
  opCase("upsample_bilinear2x", { x }, upsampleBilinear2x, bilinearTwice),
]);
