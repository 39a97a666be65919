import { LOOK } from "./examine.ts";
import type { Examination } from "./examine.ts";

/** Photos that show the same. */
export interface Duplicates {
  /** Indices, two or more, in order. */
  readonly photos: readonly number[];
  /** The same bytes; otherwise they look alike: saved again, or frames of a video. */
  readonly exact: boolean;
}

/** Mean difference in grey levels up to which two photos look alike; another JPEG quality changes less. */
const ALIKE = 1.5;
/** Standard deviation in grey levels below which a photo is too flat to be told from others. */
const FLAT = 8;

/** Groups of photos that are equal or look alike, each photo in one group at most. */
export function findDuplicates(photos: ReadonlyMap<number, Examination>): Duplicates[] {
  const byDigest = new Map<string, number[]>();
  for (const [index, { digest }] of photos) byDigest.set(digest, [...(byDigest.get(digest) ?? []), index]);
  const exact = [...byDigest.values()].filter((indices) => indices.length > 1);
  const rest = [...byDigest.values()].map(([first]) => first);
  return [...exact.map((group) => ({ photos: group, exact: true })), ...alike(photos, rest)].sort(
    (a, b) => a.photos[0] - b.photos[0],
  );
}

function alike(photos: ReadonlyMap<number, Examination>, indices: readonly number[]): Duplicates[] {
  const looks = indices
    .map((index) => ({ index, look: photos.get(index)!.look, ...momentsOf(photos.get(index)!.look) }))
    .filter(({ deviation }) => deviation >= FLAT)
    // What differs by so much in its mean differs by as much at least: only neighbours need be compared.
    .sort((a, b) => a.mean - b.mean);
  const groupOf = new Map<number, number[]>();
  looks.forEach((one, i) => {
    for (let j = i + 1; j < looks.length && looks[j].mean - one.mean <= ALIKE; j++) {
      if (difference(one.look, looks[j].look) > ALIKE) continue;
      const [a, b] = [groupOf.get(one.index) ?? [one.index], groupOf.get(looks[j].index) ?? [looks[j].index]];
      if (a === b) continue;
      const merged = [...a, ...b];
      for (const index of merged) groupOf.set(index, merged);
    }
  });
  return [...new Set(groupOf.values())].map((group) => ({
    photos: [...group].sort((a, b) => a - b),
    exact: false,
  }));
}

function momentsOf(look: Uint8Array): { mean: number; deviation: number } {
  let [sum, squares] = [0, 0];
  for (const level of look) {
    sum += level;
    squares += level * level;
  }
  const mean = sum / look.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / look.length - mean * mean)) };
}

function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < LOOK * LOOK; i++) sum += Math.abs(a[i] - b[i]);
  return sum / (LOOK * LOOK);
}
