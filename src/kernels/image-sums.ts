/** @file Sums over the pixels of each image a channel, and the opposite: a number of each image and channel for all its pixels. */
import { defineKernel, f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { activationGradientOfOutputText, activationGradientText } from "./text/activation.ts";
import type { ActivationKind } from "./text/activation.ts";
import { imageWalk, imageWalkText } from "./text/image-walk.ts";
import type { ImageWalk, WalkedImages } from "./text/image-walk.ts";

/** An activation that sums pass back through: their gradients by its input. */
export interface PassedBackThrough {
  readonly activation: ActivationKind;
  /** Which of both `kept` holds. */
  readonly kept: "input" | "output";
}

/**
 * Sums of `x` `[N, pixels, C]` over the pixels of each part of `walk`, times `scale`: `y` `[N, parts, C]`. With `product` of x times
 * `factor`, a tensor like x. Run again on its own output until one part an image is left; that may pass `back` through an
 * activation, whose input or output is `kept` `[N, C]`.
 */
export function sumOverPixels(
  walk: ImageWalk,
  {
    scale = 1,
    product = false,
    back = null,
  }: { scale?: number; product?: boolean; back?: PassedBackThrough | null } = {},
): Kernel {
  const array = `array<${walk.type}>`;
  const gradientText = back?.kept === "output" ? activationGradientOfOutputText : activationGradientText;
  return defineKernel({
    label: `${product ? "sum_products_over_pixels" : "sum_over_pixels"}${back ? `_${back.activation}_gradient` : ""}`,
    read: { x: array, ...(product && { factor: array }), ...(back && { kept: array }) },
    write: { y: array },
    params: { ...walk.params, scale: f32(scale) },
    workgroups: walk.workgroups,
    body: imageWalkText(walk, {
      start: "var total = T();",
      pixel: product ? "total = fma(load_x(at), load_factor(at), total);" : "total += load_x(at);",
      end: `let at = unit * params.columns + column;
  let sum = total * params.scale;
  ${back ? "let kept = load_kept(at);" : ""}
  store_y(at, ${back ? gradientText(back.activation, "kept", "sum", "T") : "sum"});`,
    }),
  });
}

/** `y` `[N, pixels, C]` is `factor` `[N, C]` times `scale` at every pixel. */
export function spreadOverPixels(target: KernelTarget, images: WalkedImages, scale: number): Kernel {
  const walk = imageWalk(target, images);
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "spread_over_pixels",
    read: { factor: array },
    write: { y: array },
    params: { ...walk.params, scale: f32(scale) },
    workgroups: walk.workgroups,
    body: imageWalkText(walk, {
      start: "let value = load_factor(image * params.columns + column) * params.scale;",
      pixel: "store_y(at, value);",
    }),
  });
}

/** `y = x·factor`: `x`, `y` `[N, pixels, C]`, `factor` `[N, C]`. */
export function multiplyPixels(target: KernelTarget, images: WalkedImages): Kernel {
  const walk = imageWalk(target, images);
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "multiply_channels",
    read: { x: array, factor: array },
    write: { y: array },
    params: walk.params,
    workgroups: walk.workgroups,
    body: imageWalkText(walk, {
      start: "let value = load_factor(image * params.columns + column);",
      pixel: "store_y(at, load_x(at) * value);",
    }),
  });
}
