import { windowAxis } from "./window.ts";
import type { Padding } from "./window.ts";

/** How a pooling's windows lie. */
export interface Pool2dOptions {
  /** Size of a window in pixels; a number is a square's side. */
  readonly poolSize: number | readonly [height: number, width: number];
  /** Pixels from one window to the next; a number is for both ways. */
  readonly strides: number | readonly [y: number, x: number];
  /** With `same` what lies outside the image is no part of a window; explicit zeros take part like any pixel. */
  readonly padding: Padding;
}

/** Where the windows of a 2-D pooling lie, with everything in pixels. */
export interface PoolGeometry {
  readonly batch: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly channels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly poolHeight: number;
  readonly poolWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  /** Rows above and columns left of the image that the first window covers. */
  readonly padTop: number;
  readonly padLeft: number;
  /** Whether positions outside the image count as zeros; otherwise they are no part of a window. */
  readonly zeros: boolean;
}

/**
 * Works out the geometry of a pooling over images `[N, H, W, C]`.
 *
 * @throws Error when the shape is not NHWC, an option is not a whole number in range, or no window fits.
 */
export function pool2dGeometry(shape: readonly number[], options: Pool2dOptions): PoolGeometry {
  if (shape.length !== 4) {
    throw new Error(`Pooling takes images [N, H, W, C] and was given the shape [${shape.join(", ")}].`);
  }
  const [batch, inputHeight, inputWidth, channels] = shape;
  const [poolHeight, poolWidth] = pair("poolSize", options.poolSize);
  const [strideY, strideX] = pair("strides", options.strides);
  const { padding } = options;
  const rows = windowAxis("Pooling takes", "y", {
    input: inputHeight,
    size: poolHeight,
    stride: strideY,
    padding,
  });
  const columns = windowAxis("Pooling takes", "x", {
    input: inputWidth,
    size: poolWidth,
    stride: strideX,
    padding,
  });
  if (rows.output < 1 || columns.output < 1) {
    throw new Error(
      `A pooling window of ${poolHeight}×${poolWidth} does not fit into an image of ${inputHeight}×${inputWidth}: ` +
        `use a smaller window or more padding.`,
    );
  }
  return {
    batch,
    inputHeight,
    inputWidth,
    channels,
    outputHeight: rows.output,
    outputWidth: columns.output,
    poolHeight,
    poolWidth,
    strideY,
    strideX,
    padTop: rows.before,
    padLeft: columns.before,
    zeros: typeof padding !== "string",
  };
}

function pair(name: string, value: number | readonly [number, number]): readonly [number, number] {
  const both = typeof value === "number" ? ([value, value] as const) : value;
  if (both.some((extent) => !Number.isInteger(extent) || extent < 1)) {
    throw new Error(`Pooling takes ${name} of whole numbers from 1, not ${both.join("×")}.`);
  }
  return both;
}
