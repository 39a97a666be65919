import type { Padding } from "./conv2d/geometry.ts";

export interface Pool2dOptions {
  readonly poolSize: number | readonly [height: number, width: number];
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
  const rows = axis(inputHeight, poolHeight, strideY, along(options.padding, "top", "bottom"));
  const columns = axis(inputWidth, poolWidth, strideX, along(options.padding, "left", "right"));
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
    zeros: typeof options.padding !== "string",
  };
}

function pair(name: string, value: number | readonly [number, number]): readonly [number, number] {
  const both = typeof value === "number" ? ([value, value] as const) : value;
  if (both.some((extent) => !Number.isInteger(extent) || extent < 1)) {
    throw new Error(`Pooling takes ${name} of whole numbers from 1, not ${both.join("×")}.`);
  }
  return both;
}

type AxisPadding = "same" | "valid" | readonly [before: number, after: number];

function along(padding: Padding, before: "top" | "left", after: "bottom" | "right"): AxisPadding {
  if (typeof padding === "string") return padding;
  const both = [padding[before], padding[after]] as const;
  if (both.some((extent) => !Number.isInteger(extent) || extent < 0)) {
    throw new Error(
      `Pooling takes padding of whole numbers from 0, not ${before} ${both[0]}, ${after} ${both[1]}.`,
    );
  }
  return both;
}

function axis(
  input: number,
  window: number,
  stride: number,
  padding: AxisPadding,
): { output: number; before: number } {
  if (padding === "same") {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + window - input, 0);
    return { output, before: Math.floor(total / 2) };
  }
  const [before, after] = padding === "valid" ? [0, 0] : padding;
  return { output: Math.floor((input + before + after - window) / stride) + 1, before };
}
