import { hash } from "../random.ts";

/** White noise in [0, 1) on the whole numbers of the plane. */
export function whiteNoise(x: number, y: number, seed: number): number {
  return hash(Math.floor(x), Math.floor(y), seed) / 2 ** 32;
}

/** Smooth noise in [0, 1): white noise on whole numbers, interpolated between. */
export function valueNoise(x: number, y: number, seed: number): number {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [smooth(x - i), smooth(y - j)];
  const top = mix(whiteNoise(i, j, seed), whiteNoise(i + 1, j, seed), u);
  const bottom = mix(whiteNoise(i, j + 1, seed), whiteNoise(i + 1, j + 1, seed), u);
  return mix(top, bottom, v);
}

export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
