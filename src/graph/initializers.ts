import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { sizeOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** A source of independent uniform numbers in [0, 1). */
export type Random = () => number;

/** First values of a variable. */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

/** The same `(seed, name)` always gives the same stream, whatever else a graph holds and in whatever order. */
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

export const constant = (value: number): Initializer => fill(() => value);
export const zeros = constant(0);
export const ones = constant(1);

/** Normal with the given standard deviation, by Box–Muller (`tf.random_normal_initializer`). */
export function randomNormal(deviation: number): Initializer {
  return fill((random) => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return deviation * radius * Math.cos(2 * Math.PI * random());
  });
}

/**
 * Keras `glorot_uniform`: uniform in ±sqrt(6 / (fanIn + fanOut)). As Keras does it, the last two extents of a kernel
 * are taken for input and output channels and the ones before for the receptive field.
 */
export const glorotUniform: Initializer = (shape, random) => {
  const field = sizeOf(shape.slice(0, -2));
  const [fanIn, fanOut] = shape.slice(-2);
  const limit = Math.sqrt(6 / (field * (fanIn + (fanOut ?? fanIn))));
  return fill((next) => limit * (2 * next() - 1))(shape, random);
};
