import type { Tensor } from "../../graph/graph.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../../graph/ops/pool.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import type { Pool2dOptions } from "../../kernels/text/pool2d-geometry.ts";
import type { Padding } from "../../kernels/text/window.ts";
import type { Pair } from "./convolution.ts";
import { defineLayer } from "./layer.ts";
import type { Layer, LayerOptions } from "./layer.ts";

/** How windows lie. */
export interface PoolingOptions extends LayerOptions {
  /** The window's own size by default. */
  readonly strides?: Pair | undefined;
  /** `valid` by default. */
  readonly padding?: Padding | undefined;
}

const pooling =
  (kind: string, pool: (x: Tensor, options: Pool2dOptions) => Tensor) =>
  (poolSize: Pair = 2, { strides = poolSize, padding = "valid", ...options }: PoolingOptions = {}): Layer =>
    defineLayer(kind, options, (x) => pool(x, { poolSize, strides, padding }));

/**
 * Keras `MaxPooling2D`: the largest of each window, `[N, H, W, C]` to `[N, H', W', C]`.
 *
 * @throws Error when it is applied to what is no image or one that no window fits into, or an option is not a whole number in range.
 */
export const maxPooling2d = /* @__PURE__ */ pooling("max_pooling2d", maxPool2d);

/**
 * Keras `AveragePooling2D`: the mean of each window, in which with `same` padding only what lies in the image counts,
 * `[N, H, W, C]` to `[N, H', W', C]`.
 *
 * @throws Error as {@link maxPooling2d} does.
 */
export const averagePooling2d = /* @__PURE__ */ pooling("average_pooling2d", averagePool2d);

/** What {@link globalAveragePooling2d} takes. */
export interface GlobalPoolingOptions extends LayerOptions {
  /** Whether height and width stay, as 1; not by default. */
  readonly keepDims?: boolean | undefined;
}

/**
 * Keras `GlobalAveragePooling2D`: the mean over all pixels, `[N, H, W, C]` to `[N, C]`, or with `keepDims` `[N, 1, 1, C]`.
 *
 * @throws Error when it is applied to what is no image.
 */
export const globalAveragePooling2d = ({ keepDims = false, ...options }: GlobalPoolingOptions = {}): Layer =>
  defineLayer("global_average_pooling2d", options, (x) => {
    const y = globalAveragePool2d(x);
    return keepDims ? reshape(y, [y.shape[0], 1, 1, y.shape[1]]) : y;
  });
