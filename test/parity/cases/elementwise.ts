import * as tf from "@tensorflow/tfjs-core";
import { activation } from "../../../src/graph/ops/activation.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { addN } from "../../../src/graph/ops/add-n.ts";
import { affineConstants } from "../../../src/graph/ops/affine-constants.ts";
import { multiplyChannels } from "../../../src/graph/ops/multiply-channels.ts";
import { biasAdd } from "../../../src/graph/ops/bias.ts";
import { concat, sliceChannels } from "../../../src/graph/ops/concat.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { opCase } from "../kernel-case.ts";
import type { KernelCase } from "../kernel-case.ts";

const wide = (x: Shape, channels: number): Shape => [...x.slice(0, -1), channels];

const ODD = [3, 5, 7, 3];
const EVEN = [2, 4, 6, 64];

export const elementwiseCases: readonly KernelCase[] = [ODD, EVEN].flatMap((x) => [
  opCase("add", { a: x, b: x }, add, (a, b) => tf.add(a, b)),
  opCase("add_n of 3", { a: x, b: x, c: x }, (...all) => addN(all), (...all) => tf.addN(all)), // prettier-ignore
  opCase("multiply_channels", { x, factor: [x[0], 1, 1, x[3]] }, multiplyChannels, (x, factor) =>
    tf.mul(x, factor),
  ),
  opCase(
    "affine_constants",
    { x: wide(x, 3) },
    (x) => affineConstants(x, [2, -0.5, 0.25], [1, 0, -3]),
    (x) => tf.add(tf.mul(x, [2, -0.5, 0.25]), [1, 0, -3]),
  ),
  opCase("scale", { x }, (x) => scale(x, -0.37), (x) => tf.mul(x, -0.37)), // prettier-ignore
  opCase("scale by a tensor", { x, factor: [] }, scale, (x, factor) => tf.mul(x, factor)),
  opCase("relu", { x }, (x) => activation(x, "relu"), (x) => tf.relu(x)), // prettier-ignore
  opCase("relu6", { x }, (x) => activation(x, "relu6"), (x) => tf.relu6(x)), // prettier-ignore
  opCase("sigmoid", { x }, (x) => activation(x, "sigmoid"), (x) => tf.sigmoid(x)), // prettier-ignore
  opCase("swish", { x }, (x) => activation(x, "swish"), (x) => tf.mul(x, tf.sigmoid(x))), // prettier-ignore
  opCase(
    "hard_swish",
    { x },
    (x) => activation(x, "hard_swish"),
    (x) => tf.div(tf.mul(x, tf.relu6(tf.add(x, 3))), 6),
  ),
  ...(["register", "workgroup"] as const).map((family) =>
    opCase("bias_add", { x, bias: x.slice(-1) }, biasAdd, (x, bias) => tf.add(x, bias), {
      kernels: { family },
    }),
  ),
  opCase(
    "concat of 2",
    { a: x, b: wide(x, 32) },
    (...parts) => concat(parts),
    (...parts) => tf.concat(parts, -1),
  ),
  opCase(
    "concat of 3",
    { a: wide(x, 5), b: x, c: wide(x, 8) },
    (...parts) => concat(parts),
    (...parts) => tf.concat(parts, -1),
  ),
  opCase(
    "slice_channels",
    { x },
    (x) => sliceChannels(x, 1, 2),
    (x) => tf.slice(x, [0, 0, 0, 1], [-1, -1, -1, 2]),
  ),
]);
