import { seededRandom } from "bespoke";
import type { Random } from "bespoke";

export const CLASSES = 3;
const PER_CLASS = 100;
/** All points of a set: it is small enough to be one batch. */
export const COUNT = CLASSES * PER_CLASS;

/** Points in the square from −1 to 1. */
export interface Points {
  /** `[COUNT, 2]`, x to the right and y upwards. */
  readonly x: Float32Array;
  /** `[COUNT]`, the class of each. */
  readonly labels: Uint32Array;
}

/** Where point `t`, from 0 to 1, of a class lies. */
type Place = (label: number, t: number, random: Random) => readonly [x: number, y: number];

const SETS = {
  spirals: (label, t, random) => {
    const angle = 2 * Math.PI * (label / CLASSES + t) + 0.15 * normal(random);
    const radius = 0.08 + 0.8 * t;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
  rings: (label, t, random) => {
    const radius = 0.12 + 0.3 * label + 0.05 * normal(random);
    return [radius * Math.cos(2 * Math.PI * t), radius * Math.sin(2 * Math.PI * t)];
  },
  clouds: (label, _, random) => {
    const angle = 2 * Math.PI * (label / CLASSES + 1 / 12);
    return [0.4 * Math.cos(angle) + 0.22 * normal(random), 0.4 * Math.sin(angle) + 0.22 * normal(random)];
  },
} satisfies Record<string, Place>;

export type PointSet = keyof typeof SETS;

/** The same points for the same seed. */
export function drawPoints(set: PointSet, seed: number): Points {
  const random = seededRandom(seed, set);
  const place: Place = SETS[set];
  const labels = Uint32Array.from({ length: COUNT }, (_, i) => i % CLASSES);
  const places = Array.from(labels, (label, i) =>
    place(label, Math.floor(i / CLASSES) / (PER_CLASS - 1), random),
  );
  return { x: Float32Array.from(places.flat()), labels };
}

/** A number of the standard normal distribution, by Box–Muller. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
