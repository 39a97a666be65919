import { mix } from "./step/batch.ts";

/** `length` numbers in [−1, 1) (or [0.5, 1.5) where they must be positive), the same for the same name. */
export function noise(name: string, length: number, { positive = false } = {}): Float32Array {
  const seed = seedOf(name);
  const offset = positive ? 0.5 : -1;
  const range = positive ? 1 : 2;
  return Float32Array.from({ length }, (_, i) => offset + (range * (mix(i ^ seed) >>> 8)) / 2 ** 24);
}

/** `length` whole numbers from 0 to `classes` − 1. */
export const classNoise = (length: number, classes: number): Uint32Array =>
  Uint32Array.from({ length }, (_, i) => mix(i) % classes);

function seedOf(name: string): number {
  let seed = 0;
  for (let i = 0; i < name.length; i++) seed = mix(seed ^ name.charCodeAt(i));
  return seed;
}
