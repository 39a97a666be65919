/** @file Sums over the pixels of each image a channel, and the opposite: a number of each image and channel for all its pixels. */
import { defineKernel, f32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { imageWalk, imageWalkText } from "./text/image-walk.ts";
import type { ImageWalk, WalkedImages } from "./text/image-walk.ts";

/**
 * Sums of `x` `[N, pixels, C]` over the pixels of each part of `walk`, times `scale`: `y` `[N, parts, C]`. With `product` of x times
 * `factor`, a tensor like x. Run again on its own output until one part an image is left.
 */
export function sumOverPixels(
  walk: ImageWalk,
  { scale = 1, product = false }: { scale?: number; product?: boolean } = {},
): Kernel {
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: product ? "sum_products_over_pixels" : "sum_over_pixels",
    read: { x: array, ...(product && { factor: array }) },
    write: { y: array },
    params: { ...walk.params, scale: f32(scale) },
    workgroups: walk.workgroups,
    body: imageWalkText(walk, {
      start: "var total = T();",
      pixel: product ? "total = fma(load_x(at), load_factor(at), total);" : "total += load_x(at);",
      end: "store_y(unit * params.columns + column, total * params.scale);",
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
