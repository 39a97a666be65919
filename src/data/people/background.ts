import type { Random } from "../random.ts";
import { blend, colour, lit, vary } from "./colour.ts";
import type { Colour } from "./colour.ts";
import { mix, valueNoise, whiteNoise } from "./noise.ts";

/** The colour behind the figure at a point of the picture: u across and v down, both 0 to 1. */
export type Background = (u: number, v: number) => Colour;

/** A studio, a brick wall, a street of buildings or a park, above a floor. */
export function background(random: Random): Background {
  const horizon = random.uniform(0.66, 0.92);
  const seed = random.integer(0, 0x7fffffff);
  const wall = { studio, bricks, street, park }[
    random.pick(["studio", "bricks", "street", "street", "park"] as const)
  ](random, seed);
  const floor = vary(
    colour(random.pick(["#8d8a86", "#a59c90", "#6f6e70", "#b9b4ab", "#7d8268"])),
    0.08,
    random,
  );
  const tiles = random.chance(0.4) ? random.uniform(6, 14) : 0;
  const lightFrom = random.uniform(-0.25, 0.25);
  return (u, v) => {
    const light = 1 + lightFrom * (u - 0.5);
    if (v < horizon) return lit(wall(u, v), light);
    const near = (v - horizon) / (1 - horizon + 0.2);
    const grit = 0.88 + 0.2 * valueNoise(u * 30, v * 70, seed);
    const joint =
      tiles > 0 && ((((u - 0.5) / (0.4 + near)) * tiles + 99) % 1 < 0.06 || (near * tiles * 0.6) % 1 < 0.08);
    return lit(floor, light * grit * mix(0.85, 1.08, near) * (joint ? 0.8 : 1));
  };
}

function studio(random: Random, seed: number): Background {
  const base = vary(
    colour(random.pick(["#d9d6d0", "#b8c0c6", "#e8e4dd", "#8b9196", "#c9b9a6"])),
    0.05,
    random,
  );
  const dark = random.uniform(0.1, 0.35);
  return (u, v) => lit(base, 1 - dark * v + 0.05 * valueNoise(u * 5, v * 5, seed));
}

function bricks(random: Random, seed: number): Background {
  const base = vary(
    colour(random.pick(["#8a4b3a", "#a08c7a", "#6e6763", "#b3a698", "#7b5a4a"])),
    0.05,
    random,
  );
  const rows = random.uniform(18, 36);
  return (u, v) => {
    const row = Math.floor(v * rows);
    const x = u * rows * 0.35 + (row % 2) * 0.5;
    const mortar = (v * rows) % 1 < 0.14 || (x + 9) % 1 < 0.07;
    if (mortar) return [0.7, 0.68, 0.64];
    return lit(base, 0.8 + 0.35 * whiteNoise(x, row, seed));
  };
}

function street(random: Random, seed: number): Background {
  const sky = blend(colour("#bcd3e6"), colour("#e6e6e4"), random.uniform());
  const buildings: { left: number; right: number; top: number; wall: Colour; glass: Colour; step: number }[] =
    [];
  for (let left = random.uniform(-0.2, 0); left < 1;) {
    const right = left + random.uniform(0.18, 0.5);
    const wall = vary(
      colour(random.pick(["#9a8f84", "#b7aa98", "#6f7479", "#a56b58", "#cfc8bd", "#55585e"])),
      0.06,
      random,
    );
    const glass = lit(colour("#56687a"), random.uniform(0.5, 1.3));
    buildings.push({
      left,
      right,
      top: random.uniform(-0.3, 0.35),
      wall,
      glass,
      step: random.uniform(0.06, 0.16),
    });
    left = right;
  }
  return (u, v) => {
    const house = buildings.find((b) => u >= b.left && u < b.right);
    if (house === undefined || v < house.top) return lit(sky, 1 - 0.15 * v);
    const [x, y] = [((u - house.left) / house.step) % 1, ((v - house.top) / (house.step * 1.3)) % 1];
    const window = x > 0.25 && x < 0.75 && y > 0.2 && y < 0.75;
    return lit(window ? house.glass : house.wall, 0.92 + 0.14 * valueNoise(u * 25, v * 25, seed));
  };
}

function park(random: Random, seed: number): Background {
  const leaves = vary(colour(random.pick(["#4d6a36", "#6f7f3a", "#8a7a3a", "#3e5a44"])), 0.05, random);
  const sky = colour("#d5e2ea");
  const canopy = random.uniform(-0.1, 0.4);
  const trunks = Array.from({ length: random.integer(0, 4) }, () => ({
    u: random.uniform(),
    half: random.uniform(0.01, 0.04),
  }));
  return (u, v) => {
    if (trunks.some((trunk) => Math.abs(u - trunk.u) < trunk.half)) {
      return lit(colour("#4b3a2c"), 0.8 + 0.4 * valueNoise(u * 60, v * 14, seed));
    }
    const clump = 0.6 * valueNoise(u * 7, v * 7, seed) + 0.4 * valueNoise(u * 22, v * 22, seed + 1);
    return v < canopy && clump > 0.5 ? sky : lit(leaves, 0.45 + clump);
  };
}
