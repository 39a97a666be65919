import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../../src/graph/graph.ts";
import { conv2dTranspose } from "../../../src/graph/ops/conv2d-transpose.ts";
import type { Conv2dTransposeOptions } from "../../../src/graph/ops/conv2d-transpose.ts";
import { depthwiseConv2d } from "../../../src/graph/ops/depthwise-conv2d.ts";
import { matmul } from "../../../src/graph/ops/matmul.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import type { Conv2dOptions } from "../../../src/graph/ops/conv2d.ts";
import { upsampledConv2d } from "../../../src/graph/ops/upsampled-conv2d.ts";
import type { MatmulOptions } from "../../../src/graph/ops/matmul.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { opCase } from "../kernel-case.ts";
import type { KernelCase, Kernels } from "../kernel-case.ts";
import { bilinearTwice } from "../bilinear-twice.ts";
import { repeatedTwice } from "../repeated-twice.ts";

/** Both families of matrix kernels, the one in registers with and without subgroups. */
const KERNELS: readonly Kernels[] = [
  { family: "register" },
  { family: "register", subgroupSize: 0 },
  { family: "workgroup" },
];

type Strides = [number, number];
const strided = (strides: number | readonly [number, number]): Strides =>
  typeof strides === "number" ? [strides, strides] : [...strides];

/** tfjs's `op`, with explicit zeros as a layer of their own before it. */
const padded =
  (
    op: typeof tf.conv2d<tf.Tensor4D> | typeof tf.depthwiseConv2d<tf.Tensor4D>,
    { strides, padding }: Conv2dOptions,
  ) =>
  (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor => {
    const filter = kernel as tf.Tensor4D;
    if (typeof padding === "string") return op(x as tf.Tensor4D, filter, strided(strides), padding);
    const { top, bottom, left, right } = padding;
    const zeros = tf.pad(x as tf.Tensor4D, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
    return op(zeros, filter, strided(strides), "valid");
  };

/** `[kh, kw, Cin, Cout]` over `x`. */
function convolution(name: string, x: Shape, kernel: Shape, options: Conv2dOptions): KernelCase[] {
  const ours = (x: Tensor, kernel: Tensor): Tensor => conv2d(x, kernel, options);
  const theirs = padded(tf.conv2d, options);
  return KERNELS.map((kernels) => opCase(`conv2d ${name}`, { x, kernel }, ours, theirs, { kernels }));
}

/** `[kh, kw, C, 1]` over `x`. */
function depthwise(name: string, x: Shape, size: Strides, options: Conv2dOptions): KernelCase[] {
  const kernel = [...size, x[3], 1];
  const ours = (x: Tensor, kernel: Tensor): Tensor => depthwiseConv2d(x, kernel, options);
  const theirs = padded(tf.depthwiseConv2d, options);
  return (["register", "workgroup"] as const).map((family) =>
    opCase(`depthwise_conv2d ${name}`, { x, kernel }, ours, theirs, { kernels: { family } }),
  );
}

/** `a` by `b`, one of them perhaps transposed. */
function product(name: string, a: Shape, b: Shape, options: MatmulOptions): KernelCase[] {
  const { transposeA, transposeB } = options;
  const ours = (a: Tensor, b: Tensor): Tensor => matmul(a, b, options);
  const theirs = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b, transposeA, transposeB);
  return KERNELS.map((kernels) => opCase(`matmul ${name}`.trim(), { a, b }, ours, theirs, { kernels }));
}

/** `[kh, kw, Cout, Cin]` over `x`. */
function transposed(name: string, x: Shape, kernel: Shape, options: Conv2dTransposeOptions): KernelCase[] {
  const theirs = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor => {
    const strides = strided(options.strides);
    const [batch, height, width] = x.shape;
    const extent = (input: number, axis: number): number => {
      const rest = kernel.shape[axis] - strides[axis];
      return input * strides[axis] + (options.padding === "same" ? 0 : Math.max(rest, 0));
    };
    const shape: [number, number, number, number] = [
      batch,
      extent(height, 0),
      extent(width, 1),
      kernel.shape[2]!,
    ];
    return tf.conv2dTranspose(x as tf.Tensor4D, kernel as tf.Tensor4D, shape, strides, options.padding);
  };
  const ours = (x: Tensor, kernel: Tensor): Tensor => conv2dTranspose(x, kernel, options);
  return KERNELS.map((kernels) =>
    opCase(`conv2d_transpose ${name}`, { x, kernel }, ours, theirs, { kernels }),
  );
}

/** `[kh, kw, Cin, Cout]` over `x` of twice the size. */
function upsampled(interpolation: "nearest" | "bilinear", x: Shape, kernel: Shape): KernelCase[] {
  const twice = interpolation === "nearest" ? repeatedTwice : bilinearTwice;
  const theirs = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
    tf.conv2d(twice(x), kernel as tf.Tensor4D, 1, "same");
  const ours = (x: Tensor, kernel: Tensor): Tensor => upsampledConv2d(x, kernel, { interpolation });
  return KERNELS.map((kernels) =>
    opCase(`upsample_${interpolation}2x, conv2d 3×3 same`, { x, kernel }, ours, theirs, { kernels }),
  );
}

const around = (pixels: number): Conv2dOptions["padding"] => ({
  top: pixels,
  bottom: pixels,
  left: pixels,
  right: pixels,
});
const uneven = { strides: [2, 1], padding: { top: 0, bottom: 2, left: 1, right: 0 } } as const;

export const convolutionCases: readonly KernelCase[] = [
  convolution("1×1", [2, 9, 7, 35], [1, 1, 35, 67], { strides: 1, padding: "valid" }),
  convolution("1×1", [2, 8, 8, 64], [1, 1, 64, 128], { strides: 1, padding: "valid" }),
  convolution("3×3 same", [2, 7, 9, 5], [3, 3, 5, 11], { strides: 1, padding: "same" }),
  convolution("3×3 same", [2, 8, 6, 16], [3, 3, 16, 32], { strides: 1, padding: "same" }),
  convolution("3×3/2 same", [2, 9, 7, 3], [3, 3, 3, 10], { strides: 2, padding: "same" }),
  convolution("3×3/2 same", [2, 8, 10, 8], [3, 3, 8, 12], { strides: 2, padding: "same" }),
  convolution("7×7/2 pad 3", [1, 15, 13, 3], [7, 7, 3, 9], { strides: 2, padding: around(3) }),
  convolution("7×7/2 pad 3", [2, 16, 12, 3], [7, 7, 3, 64], { strides: 2, padding: around(3) }),
  convolution("3×3 valid", [1, 7, 8, 6], [3, 3, 6, 5], { strides: 1, padding: "valid" }),
  convolution("3×3 valid", [2, 10, 8, 4], [3, 3, 4, 8], { strides: 1, padding: "valid" }),
  convolution("uneven kernel, strides and pad", [2, 9, 11, 7], [2, 5, 7, 3], uneven),
  convolution("uneven kernel, strides and pad", [2, 8, 12, 12], [2, 4, 12, 20], uneven),
  depthwise("3×3 same", [2, 9, 7, 5], [3, 3], { strides: 1, padding: "same" }),
  depthwise("3×3 same", [2, 10, 8, 16], [3, 3], { strides: 1, padding: "same" }),
  depthwise("3×3/2 same", [2, 9, 7, 5], [3, 3], { strides: 2, padding: "same" }),
  depthwise("3×3/2 same", [2, 10, 8, 16], [3, 3], { strides: 2, padding: "same" }),
  depthwise("5×5/2 pad 2", [2, 10, 12, 8], [5, 5], { strides: 2, padding: around(2) }),
  depthwise("5×5/2 pad 2", [1, 9, 8, 5], [5, 5], { strides: 2, padding: around(2) }),
  depthwise("7×7 same", [1, 9, 8, 8], [7, 7], { strides: 1, padding: "same" }),
  depthwise("7×7 same", [2, 8, 7, 3], [7, 7], { strides: 1, padding: "same" }),
  convolution("1×7 same", [2, 8, 9, 8], [1, 7, 8, 12], { strides: 1, padding: "same" }),
  convolution("1×7 same", [1, 7, 8, 5], [1, 7, 5, 7], { strides: 1, padding: "same" }),
  convolution("7×1 same", [2, 8, 9, 5], [7, 1, 5, 7], { strides: 1, padding: "same" }),
  convolution("7×1 same", [1, 9, 8, 8], [7, 1, 8, 12], { strides: 1, padding: "same" }),
  product("", [9, 35], [35, 7], {}),
  product("", [12, 8], [8, 16], {}),
  product("by transposed", [16, 64], [32, 64], { transposeB: true }),
  product("by transposed", [5, 9], [7, 9], { transposeB: true }),
  product("transposed by", [9, 35], [9, 7], { transposeA: true }),
  product("transposed by", [8, 12], [8, 16], { transposeA: true }),
  product("of batches", [3, 2, 9, 35], [3, 2, 35, 7], {}),
  product("of batches", [4, 12, 8], [4, 8, 16], {}),
  product("of batches by transposed", [4, 16, 64], [4, 32, 64], { transposeB: true }),
  product("of batches by transposed", [3, 5, 9], [3, 7, 9], { transposeB: true }),
  product("of batches transposed by", [3, 9, 5], [3, 9, 7], { transposeA: true }),
  product("of batches transposed by", [2, 8, 12], [2, 8, 16], { transposeA: true }),
  transposed("3×3/2 same", [2, 5, 3, 7], [3, 3, 59, 7], { strides: 2, padding: "same" }),
  transposed("3×3/2 same", [2, 4, 6, 32], [3, 3, 64, 32], { strides: 2, padding: "same" }),
  transposed("3×3/2 valid", [1, 5, 3, 6], [3, 3, 5, 6], { strides: 2, padding: "valid" }),
  transposed("3×3/2 valid", [2, 4, 4, 8], [3, 3, 12, 8], { strides: 2, padding: "valid" }),
  transposed("3×3 same", [2, 5, 5, 3], [3, 3, 4, 3], { strides: 1, padding: "same" }),
  transposed("3×3 same", [1, 6, 4, 8], [3, 3, 8, 8], { strides: 1, padding: "same" }),
  transposed("2×2/3 valid", [1, 3, 5, 5], [2, 2, 3, 5], { strides: 3, padding: "valid" }),
  transposed("2×2/3 valid", [2, 4, 2, 4], [2, 2, 8, 4], { strides: 3, padding: "valid" }),
  upsampled("nearest", [2, 5, 3, 7], [3, 3, 7, 59]),
  upsampled("nearest", [2, 4, 6, 32], [3, 3, 32, 64]),
  upsampled("bilinear", [2, 5, 3, 7], [3, 3, 7, 59]),
  upsampled("bilinear", [2, 4, 6, 32], [3, 3, 32, 64]),
].flat();
