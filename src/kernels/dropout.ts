/**
 * @file Dropout with a mask that is computed anew wherever it is wanted. The word that decides about number `i` is word `i % 4` of
 * Philox with the counter (⌊i / 4⌋, step, 0, 0) and the key (seed, 0); `i` counts through the whole batch, however it is cut. It is
 * kept where the word is at least `rate · 2³²`.
 */
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { imageWalk, imageWalkText } from "./text/image-walk.ts";
import type { WalkedImages } from "./text/image-walk.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";
import { philoxText } from "./text/philox.ts";

export interface DropoutKernelOptions {
  /** Share of numbers that become 0, from 0 to below 1; the others are divided by 1 − rate. */
  readonly rate: number;
  /** A u32. */
  readonly seed: number;
  /** Which of the whole batch's numbers is the first. */
  readonly begin: number;
}

const dropoutParams = ({ rate, seed, begin }: DropoutKernelOptions): Record<string, Uniform> => ({
  threshold: u32(Math.floor(rate * 2 ** 32)),
  factor: f32(1 / (1 - rate)),
  seed: u32(seed),
  begin: u32(begin),
});

const words = (group: string): string =>
  `philox(vec4u(${group}, load_step(0u), 0u, 0u), vec2u(params.seed, 0u))`;

/** Each number of `x` on its own, to `y`, both `[count]`; `step` is one u32. */
export function dropoutForward(target: KernelTarget, count: number, options: DropoutKernelOptions): Kernel {
  const { width, float } = laneFor(count, options.begin);
  const kept =
    width === 4
      ? `${words("params.begin / 4u + index")} >= vec4u(params.threshold)`
      : `${words("(params.begin + index) / 4u")}[(params.begin + index) % 4u] >= params.threshold`;
  return perItemKernel(target, count / width, {
    label: "dropout",
    read: { x: `array<${float}>`, step: "array<u32>" },
    write: { y: `array<${float}>` },
    params: dropoutParams(options),
    functions: philoxText,
    body: `store_y(index, select(${float}(), load_x(index) * params.factor, ${kept}));`,
  });
}

/** Each image as a whole: `x` and `y` `[N, pixels, C]`; `begin` counts images. */
export function dropoutImages(
  target: KernelTarget,
  images: WalkedImages,
  options: DropoutKernelOptions,
): Kernel {
  const walk = imageWalk(target, images);
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: "dropout_images",
    read: { x: array, step: "array<u32>" },
    write: { y: array },
    params: { ...walk.params, ...dropoutParams(options) },
    workgroups: walk.workgroups,
    body:
      philoxText +
      imageWalkText(walk, {
        start: /* wgsl */ `let number = params.begin + image;
  let kept = ${words("number / 4u")}[number % 4u] >= params.threshold;`,
        pixel: "store_y(at, select(T(), load_x(at) * params.factor, kept));",
      }),
  });
}
