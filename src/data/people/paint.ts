import type { ClothingClass } from "../class-names.ts";
import type { Random } from "../random.ts";
import { blend, colour, lit, vary } from "./colour.ts";
import type { Colour } from "./colour.ts";
import { HAIR_COLOURS, LOOKS, SKIN_TONES } from "./looks.ts";
import type { Pattern } from "./looks.ts";
import { length } from "./shapes.ts";
import { valueNoise, whiteNoise } from "./noise.ts";

/** The colour of a layer at a point of the figure, `depth` inside the layer's edge. */
export type Paint = (x: number, y: number, depth: number) => Colour;

/** Cloth of a class: one of its colours and patterns, with folds, and darker towards the edges. */
export function cloth(label: Garment, random: Random): Paint {
  const { colours, patterns } = LOOKS[label];
  const base = vary(colour(random.pick(colours)), 0.05, random);
  const contrast: Colour = random.chance(0.5) ? [0.93, 0.91, 0.88] : [0.1, 0.1, 0.13];
  const second = blend(base, contrast, random.uniform(0.35, 0.8));
  const pattern = patterns.length > 0 && random.chance(0.6) ? random.pick(patterns) : "plain";
  const scale = random.uniform(0.016, 0.034);
  const seed = random.integer(0, 0x7fffffff);
  return (x, y, depth) => {
    const folds = 0.86 + 0.28 * valueNoise(x * 45, y * 9, seed);
    const woven = blend(base, second, printed(pattern, x / scale, y / scale, seed));
    return lit(woven, folds * rounded(depth, 0.022));
  };
}

/** How much of the second colour a pattern shows at a point, 0 to 1; the pattern repeats about every unit. */
function printed(pattern: Pattern, x: number, y: number, seed: number): number {
  switch (pattern) {
    case "plain":
      return 0;
    case "stripes":
      return modulo(x) < 0.4 ? 0.8 : 0;
    case "bars":
      return modulo(y) < 0.5 ? 1 : 0;
    case "checks":
      return (modulo(x * 0.7) < 0.5 ? 0.45 : 0) + (modulo(y * 0.7) < 0.5 ? 0.45 : 0);
    case "dots":
      return length(modulo(x) - 0.5, modulo(y) - 0.5) < 0.28 ? 1 : 0;
    case "flowers":
      return valueNoise(x * 1.5, y * 1.5, seed) > 0.6 ? 1 : 0;
    case "knit":
      return 0.35 * modulo(x * 1.3 + Math.abs(modulo(y * 1.3) - 0.5));
    case "denim":
      return 0.3 * valueNoise(x * 6, y * 6, seed);
  }
}

export function skin(random: Random): Paint {
  const base = vary(colour(random.pick(SKIN_TONES)), 0.03, random);
  return (_x, _y, depth) => lit(base, rounded(depth, 0.02));
}

export function hair(random: Random): Paint {
  const base = vary(colour(random.pick(HAIR_COLOURS)), 0.03, random);
  const seed = random.integer(0, 0x7fffffff);
  return (x, y, depth) => lit(base, (0.75 + 0.6 * valueNoise(x * 160, y * 22, seed)) * rounded(depth, 0.012));
}

/** The paint with eyes, brows and lips where the face of a head at (x, y) has them. */
export function face(base: Paint, headX: number, headY: number): Paint {
  return (x, y, depth) => {
    const [dx, dy] = [Math.abs(x - headX), y - headY];
    if (length((dx - 0.016) / 0.008, (dy - 0.002) / 0.005) < 1) return [0.13, 0.09, 0.08];
    if (length(dx / 0.012, (dy - 0.034) / 0.005) < 1) return [0.66, 0.25, 0.27];
    return base(x, y, depth);
  };
}

/** Less light towards the edge of a body `round` deep. */
function rounded(depth: number, round: number): number {
  return 0.68 + 0.36 * Math.sqrt(Math.min(Math.max(depth / round, 0), 1));
}

function modulo(x: number): number {
  return x - Math.floor(x);
}

/** Grain of the camera's sensor at a pixel, around 1. */
export function grain(column: number, row: number, seed: number): number {
  return 0.97 + 0.06 * whiteNoise(column, row, seed);
}

/** Classes that `cloth` can paint. */
export type Garment = Exclude<ClothingClass, "null" | "skin" | "hair">;
