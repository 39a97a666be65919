import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { numbers, sizes } from "./reference.ts";

/** By default of stride 1 that keeps the extents. */
export const geometry = (
  x: readonly number[],
  kernel: readonly number[],
  strides: number = 1,
  padding: "same" | "valid" = "same",
): Conv2dGeometry => conv2dGeometry(x, kernel, { strides, padding });

/** Zeros of the right sizes, for the operands that a test does not need. */
export const nothing = (g: Conv2dGeometry) => {
  const size = sizes(g);
  return { x: new Float64Array(size.x), w: new Float64Array(size.w), dy: new Float64Array(size.y) };
};

/** Tensors `[rows, channels]` as one, joined along their channels. */
export const joined = (
  parts: readonly (readonly [values: ArrayLike<number>, channels: number])[],
): Float32Array => {
  const rows = parts[0][0].length / parts[0][1];
  const width = parts.reduce((sum, [, channels]) => sum + channels, 0);
  const all = new Float32Array(rows * width);
  let begin = 0;
  for (const [values, channels] of parts) {
    for (let i = 0; i < values.length; i++)
      all[Math.floor(i / channels) * width + begin + (i % channels)] = values[i];
    begin += channels;
  }
  return all;
};

/** `channels` numbers around `centre`, each at most `reach` away. */
const around = (centre: number, reach: number, channels: number, seed: number): Float32Array =>
  numbers(channels, seed).map((value) => centre + reach * value);

/** A batch norm's planes that no symmetry makes easy: mean, scale, beta, inverse, gamma; β keeps 0 from staying 0. */
export const norm = (channels: number, seed: number): Float32Array[] => [
  around(0.2, 0.5, channels, seed),
  around(0, 2, channels, seed + 1),
  around(0.3, 0.5, channels, seed + 2),
  around(1.5, 0.5, channels, seed + 3),
  around(1, 0.7, channels, seed + 4),
];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Activations that norms have in networks, and their derivatives. */
const ACTIVATIONS = {
  linear: { value: (x: number) => x, slope: () => 1 },
  relu: { value: (x: number) => Math.max(x, 0), slope: (x: number) => (x > 0 ? 1 : 0) },
  relu6: {
    value: (x: number) => Math.min(Math.max(x, 0), 6),
    slope: (x: number) => (x > 0 && x < 6 ? 1 : 0),
  },
  swish: {
    value: (x: number) => x * sigmoid(x),
    slope: (x: number) => sigmoid(x) * (1 + x * sigmoid(-x)),
  },
} as const;

export type TestedActivation = keyof typeof ACTIVATIONS;

/** (x − mean)·scale + beta, in double precision. */
const normed = (x: ArrayLike<number>, [mean, scale, beta]: readonly Float32Array[]): Float64Array =>
  Float64Array.from({ length: x.length }, (_, i) => {
    const c = i % mean.length;
    return (x[i] - mean[c]) * scale[c] + beta[c];
  });

/** activation((x − mean)·scale + beta), in double precision. */
export const activation = (
  x: ArrayLike<number>,
  norm: readonly Float32Array[],
  kind: TestedActivation = "relu",
): Float64Array => normed(x, norm).map(ACTIVATIONS[kind].value);

/** What that passes of `dz` back to before the activation. */
export const activationGradient = (
  x: ArrayLike<number>,
  dz: ArrayLike<number>,
  norm: readonly Float32Array[],
  kind: TestedActivation = "relu",
): Float64Array => normed(x, norm).map((value, i) => dz[i] * ACTIVATIONS[kind].slope(value));

/** slope·dz + tilt·(y − mean) + offset, in double precision. */
export const normGradient = (
  dz: ArrayLike<number>,
  y: ArrayLike<number>,
  [mean, slope, tilt, offset]: readonly Float32Array[],
): Float64Array =>
  Float64Array.from({ length: dz.length }, (_, i) => {
    const c = i % mean.length;
    return slope[c] * dz[i] + tilt[c] * (y[i] - mean[c]) + offset[c];
  });

/** The planes of a norm's gradient: mean, slope, tilt, offset. */
export const coefficients = (channels: number, seed: number): Float32Array[] =>
  norm(channels, seed).slice(0, 4);

/** Σ over the rows of each channel of `[rows, channels]`. */
export const sums = (values: ArrayLike<number>, channels: number): Float64Array => {
  const total = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) total[i % channels] += values[i];
  return total;
};
