import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { sizeOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** A source of independent uniform numbers in [0, 1). */
export type Random = () => number;

/** First values of a variable. */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

/** A stream of numbers for a seed, a whole number, and a name: the same `(seed, name)` always gives the same stream, whatever else a graph holds and in whatever order. */
export function seededRandom(seed: number, name: string): Random {
  // FNV-1a over the name, so that neighbours in a network do not start from neighbouring seeds.
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const generator = xoroshiro128plus(hash ^ (hash >>> 15));
  for (let i = 0; i < 8; i++) generator.next();
  return () => (generator.next() >>> 0) / 2 ** 32;
}

const fill =
  (value: (random: Random) => number): Initializer =>
  (shape, random) => {
    const values = new Float32Array(sizeOf(shape));
    // Float32Array.from takes ten times as long, seconds for a network.
    for (let i = 0; i < values.length; i++) values[i] = value(random);
    return values;
  };

/** First values that are all `value` (Keras `Constant`). */
export const constant = (value: number): Initializer => fill(() => value);
/** First values that are all 0 (Keras `Zeros`). */
export const zeros = /* @__PURE__ */ constant(0);
/** First values that are all 1 (Keras `Ones`). */
export const ones = /* @__PURE__ */ constant(1);

/** A normal number of deviation 1, by Box–Muller. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Normal with the given standard deviation (Keras `RandomNormal`, `tf.random_normal_initializer`). */
export const randomNormal = (deviation = 0.05): Initializer => fill((random) => deviation * normal(random));

/** {@link randomNormal} of which what is beyond two deviations is drawn again (Keras `TruncatedNormal`). */
export const truncatedNormal = (deviation = 0.05): Initializer =>
  fill((random) => {
    let value = normal(random);
    while (Math.abs(value) > 2) value = normal(random);
    return deviation * value;
  });

/** Uniform from `low` to `high` (Keras `RandomUniform`). */
export const randomUniform = (low = -0.05, high = 0.05): Initializer =>
  fill((random) => low + (high - low) * random());

/** How wide {@link varianceScaling} spreads. */
export interface VarianceScalingOptions {
  /** What the variance is that many times as large as; 1 by default. */
  readonly scale?: number;
  /** What the variance is divided by: the numbers that a result is made of (the default), that one goes into, or their mean. */
  readonly mode?: "fanIn" | "fanOut" | "fanAvg";
  /** `truncatedNormal` by default. */
  readonly distribution?: "truncatedNormal" | "normal" | "uniform";
}

/** Deviation of a normal distribution of deviation 1 without what is beyond 2. */
const TRUNCATED = 0.87962566103423978;

/**
 * Keras `VarianceScaling`: numbers of variance scale/n around 0, where n is the fan. As Keras does it, the last two extents are taken for
 * input and output channels and the ones before for the receptive field, whatever the layer makes of them.
 */
export const varianceScaling =
  ({
    scale = 1,
    mode = "fanIn",
    distribution = "truncatedNormal",
  }: VarianceScalingOptions = {}): Initializer =>
  (shape, random) => {
    const field = sizeOf(shape.slice(0, -2));
    const [first = 1, last = first] = shape.slice(-2);
    const [fanIn, fanOut] = [field * first, field * last];
    const variance = scale / { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
    if (distribution === "uniform") {
      const limit = Math.sqrt(3 * variance);
      return fill((next) => limit * (2 * next() - 1))(shape, random);
    }
    const draw = distribution === "normal" ? randomNormal : truncatedNormal;
    return draw(Math.sqrt(variance) / (distribution === "normal" ? 1 : TRUNCATED))(shape, random);
  };

/** Keras `GlorotUniform` (Glorot, Bengio 2010): uniform in ±√(6 / (fanIn + fanOut)). See {@link varianceScaling}. */
export const glorotUniform = /* @__PURE__ */ varianceScaling({ mode: "fanAvg", distribution: "uniform" });

/** Keras `GlorotNormal`: truncated normal of variance 2 / (fanIn + fanOut). */
export const glorotNormal = /* @__PURE__ */ varianceScaling({ mode: "fanAvg" });

/** Keras `HeUniform` (He et al. 2015), for what a ReLU follows: uniform in ±√(6 / fanIn). */
export const heUniform = /* @__PURE__ */ varianceScaling({ scale: 2, distribution: "uniform" });

/** Keras `HeNormal` (He et al. 2015), for what a ReLU follows: truncated normal of variance 2 / fanIn. */
export const heNormal = /* @__PURE__ */ varianceScaling({ scale: 2 });

/** Keras `LecunUniform`: uniform in ±√(3 / fanIn). */
export const lecunUniform = /* @__PURE__ */ varianceScaling({ distribution: "uniform" });

/** Keras `LecunNormal`: truncated normal of variance 1 / fanIn. */
export const lecunNormal = /* @__PURE__ */ varianceScaling();

/**
 * Keras `Orthogonal` (Saxe et al. 2013): of the matrix of all axes but the last by the last, whichever are fewer, rows or columns, are
 * orthogonal to each other and of length `gain`.
 *
 * @throws Error, when it is used, of a shape with fewer than two axes.
 */
export const orthogonal =
  (gain = 1): Initializer =>
  (shape, random) => {
    if (shape.length < 2)
      throw new Error(`orthogonal makes matrices; the shape [${shape.join(", ")}] has fewer than two axes.`);
    const columns = shape[shape.length - 1];
    const rows = sizeOf(shape) / columns;
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const basis: Float64Array[] = [];
    while (basis.length < count) {
      const vector = Float64Array.from({ length }, () => normal(random));
      // Twice: what rounding left of the others is taken out the second time.
      for (const other of [...basis, ...basis]) {
        const share = dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] -= share * other[i];
      }
      const norm = Math.sqrt(dot(vector, vector));
      basis.push(vector.map((value) => value / norm));
    }
    const tall = rows >= columns;
    return Float32Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return gain * (tall ? basis[column][row] : basis[row][column]);
    });
  };

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
