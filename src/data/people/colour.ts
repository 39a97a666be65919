import type { Random } from "../random.ts";

/** Red, green and blue in [0, 1]. */
export type Colour = readonly [number, number, number];

/** A colour from `#rrggbb`. */
export function colour(hex: string): Colour {
  const value = parseInt(hex.slice(1), 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** The colour a little lighter or darker, and a little off its hue. */
export function vary(base: Colour, amount: number, random: Random): Colour {
  const light = random.uniform(-amount, amount);
  return base.map((channel) => channel + light + random.uniform(-amount, amount) / 3) as unknown as Colour;
}

/** The colour under a light of the given strength. */
export function lit(base: Colour, light: number): Colour {
  return [base[0] * light, base[1] * light, base[2] * light];
}

export function blend(a: Colour, b: Colour, t: number): Colour {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}
