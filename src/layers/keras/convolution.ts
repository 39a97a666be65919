/** @file Convolutional layers. Images are `[N, H, W, C]`; kernels and their names are Keras's. */
import { glorotUniform, zeros } from "../../graph/initializers.ts";
import type { Initializer } from "../../graph/initializers.ts";
import type { Tensor } from "../../graph/graph.ts";
import { biasAdd } from "../../graph/ops/bias.ts";
import { conv2dTranspose as transposed } from "../../graph/ops/conv2d-transpose.ts";
import { conv2d as convolution } from "../../graph/ops/conv2d.ts";
import { depthwiseConv2d as depthwise } from "../../graph/ops/depthwise-conv2d.ts";
import { shapeText } from "../../graph/shape.ts";
import type { Padding } from "../../kernels/text/window.ts";
import { activated } from "./activation.ts";
import type { KernelOptions } from "./dense.ts";
import { checkCount, defineLayer } from "./layer.ts";
import type { Layer, LayerScope } from "./layer.ts";

/** One number for both, or height and width. */
export type Pair = number | readonly [height: number, width: number];

/** Where a kernel is laid on an image. */
export interface WindowOptions {
  /** 1 by default. */
  readonly strides?: Pair | undefined;
  /** `valid` by default, as in Keras; `same`, or explicit zeros on each side. */
  readonly padding?: Padding | undefined;
}

/** What {@link conv2d} takes besides filters and size. */
export interface Conv2dLayerOptions extends KernelOptions, WindowOptions {}

/** What {@link conv2dTranspose} takes besides filters and size. */
export interface Conv2dTransposeLayerOptions extends KernelOptions {
  /** 1 by default. */
  readonly strides?: Pair | undefined;
  /** `valid` by default, as in Keras. */
  readonly padding?: "same" | "valid" | undefined;
  /** Rows and columns that the result has more at the bottom and right; none by default. */
  readonly outputPadding?: Pair | undefined;
}

/** What {@link depthwiseConv2d} takes besides the size. */
export interface DepthwiseConv2dLayerOptions extends Omit<KernelOptions, "kernelInitializer">, WindowOptions {
  /** `glorotUniform` by default. */
  readonly depthwiseInitializer?: Initializer | undefined;
}

/** What {@link separableConv2d} takes besides filters and size. */
export interface SeparableConv2dLayerOptions extends DepthwiseConv2dLayerOptions {
  /** `glorotUniform` by default. */
  readonly pointwiseInitializer?: Initializer | undefined;
}

const both = (pair: Pair): readonly [number, number] => (typeof pair === "number" ? [pair, pair] : pair);

function kernelExtents(kind: string, kernelSize: Pair): readonly [number, number] {
  const extents = both(kernelSize);
  for (const extent of extents) checkCount(kind, "the kernel's size", extent);
  return extents;
}

function channelsOf(kind: string, { name, shape }: Tensor): number {
  if (shape.length !== 4)
    throw new Error(`${kind} takes images [N, H, W, C]; "${name}" is ${shapeText(shape)}.`);
  return shape[3];
}

const biasOf = (
  scope: LayerScope,
  channels: number,
  { useBias = true, biasInitializer = zeros }: Pick<KernelOptions, "useBias" | "biasInitializer">,
): Tensor | undefined => (useBias ? scope.parameter("bias", [channels], biasInitializer) : undefined);

/**
 * Keras `Conv2D`: `[N, H, W, C]` to `[N, H', W', filters]`, with `kernel` `[kh, kw, C, filters]` and `bias` `[filters]`.
 *
 * @throws Error when a number is not whole and from 1; when it is applied to what is no image, or one that is too small.
 */
export function conv2d(filters: number, kernelSize: Pair, options: Conv2dLayerOptions = {}): Layer {
  const { strides = 1, padding = "valid", kernelInitializer = glorotUniform } = options;
  checkCount("conv2d", "filters", filters);
  const extents = kernelExtents("conv2d", kernelSize);
  return defineLayer("conv2d", options, (x, scope) => {
    const shape = [...extents, channelsOf("conv2d", x), filters];
    const kernel = scope.parameter("kernel", shape, kernelInitializer);
    const bias = biasOf(scope, filters, options);
    return activated(convolution(x, kernel, { strides, padding, bias }), options.activation);
  });
}

/**
 * Keras `Conv2DTranspose`: `[N, H, W, C]` to `[N, H', W', filters]`, with `kernel` `[kh, kw, filters, C]` and `bias` `[filters]`. With
 * `same` padding the result is `strides` times as large.
 *
 * @throws Error as {@link conv2d} does.
 */
export function conv2dTranspose(
  filters: number,
  kernelSize: Pair,
  options: Conv2dTransposeLayerOptions = {},
): Layer {
  const { strides = 1, padding = "valid", outputPadding = 0, kernelInitializer = glorotUniform } = options;
  checkCount("conv2dTranspose", "filters", filters);
  const extents = kernelExtents("conv2dTranspose", kernelSize);
  return defineLayer("conv2d_transpose", options, (x, scope) => {
    const shape = [...extents, filters, channelsOf("conv2dTranspose", x)];
    const kernel = scope.parameter("kernel", shape, kernelInitializer);
    const bias = biasOf(scope, filters, options);
    const y = transposed(x, kernel, { strides, padding, outputPadding: both(outputPadding), bias });
    return activated(y, options.activation);
  });
}

/** The depthwise half of the two layers that have one. */
function depthwiseOf(
  kind: string,
  x: Tensor,
  scope: LayerScope,
  extents: readonly [number, number],
  { strides = 1, padding = "valid", depthwiseInitializer = glorotUniform }: DepthwiseConv2dLayerOptions,
): Tensor {
  const shape = [...extents, channelsOf(kind, x), 1];
  return depthwise(x, scope.parameter("depthwise_kernel", shape, depthwiseInitializer), { strides, padding });
}

/**
 * Keras `DepthwiseConv2D` with a depth multiplier of 1: each channel of `[N, H, W, C]` by a filter of its own, with
 * `depthwise_kernel` `[kh, kw, C, 1]` and `bias` `[C]`.
 *
 * @throws Error as {@link conv2d} does.
 */
export function depthwiseConv2d(kernelSize: Pair, options: DepthwiseConv2dLayerOptions = {}): Layer {
  const extents = kernelExtents("depthwiseConv2d", kernelSize);
  return defineLayer("depthwise_conv2d", options, (x, scope) => {
    const y = depthwiseOf("depthwiseConv2d", x, scope, extents, options);
    const bias = biasOf(scope, x.shape[3], options);
    return activated(bias ? biasAdd(y, bias) : y, options.activation);
  });
}

/**
 * Keras `SeparableConv2D` with a depth multiplier of 1: a depthwise convolution, then one of single pixels that mixes the channels;
 * `[N, H, W, C]` to `[N, H', W', filters]`, with `depthwise_kernel` `[kh, kw, C, 1]`, `pointwise_kernel` `[1, 1, C, filters]` and `bias`
 * `[filters]`.
 *
 * @throws Error as {@link conv2d} does.
 */
export function separableConv2d(
  filters: number,
  kernelSize: Pair,
  options: SeparableConv2dLayerOptions = {},
): Layer {
  checkCount("separableConv2d", "filters", filters);
  const extents = kernelExtents("separableConv2d", kernelSize);
  const { pointwiseInitializer = glorotUniform } = options;
  return defineLayer("separable_conv2d", options, (x, scope) => {
    const mixed = depthwiseOf("separableConv2d", x, scope, extents, options);
    const shape = [1, 1, x.shape[3], filters];
    const kernel = scope.parameter("pointwise_kernel", shape, pointwiseInitializer);
    const bias = biasOf(scope, filters, options);
    return activated(convolution(mixed, kernel, { strides: 1, padding: "valid", bias }), options.activation);
  });
}
