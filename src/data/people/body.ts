import type { Random } from "../random.ts";
import { outline, rectangle, within } from "./shapes.ts";
import type { Joint, Shape } from "./shapes.ts";

/** A standing person in figure coordinates (see `Shape`); `left` and `right` are the picture's. */
export interface Body {
  head: Joint;
  /** Rows of the trunk from the shoulders to the crotch. */
  trunk: Joint[];
  /** Shoulder, elbow, wrist and hand of each arm. */
  arms: readonly [Joint[], Joint[]];
  /** Hip, knee and ankle of each leg. */
  legs: readonly [Joint[], Joint[]];
  /** Heel and toe of each foot. */
  feet: readonly [Joint[], Joint[]];
}

/** Heights in figure coordinates at which clothes begin and end. */
export const HEIGHT = {
  neck: 0.135,
  shoulder: 0.16,
  chest: 0.25,
  waist: 0.36,
  hip: 0.455,
  crotch: 0.49,
  knee: 0.7,
};

/** A body of random build and pose. */
export function body(random: Random): Body {
  const build = random.uniform(0.88, 1.12);
  const shoulders = build * random.uniform(0.088, 0.108);
  const waist = build * random.uniform(0.062, 0.08);
  const hips = build * random.uniform(0.08, 0.095);
  const sway = random.uniform(-0.012, 0.012);
  const head = { x: sway + random.uniform(-0.008, 0.008), y: 0.065, r: random.uniform(0.041, 0.047) };
  const trunk = [
    { x: sway, y: HEIGHT.neck, r: 0.032 },
    { x: sway, y: HEIGHT.shoulder, r: shoulders * 0.92 },
    { x: sway, y: HEIGHT.shoulder + 0.03, r: shoulders },
    { x: sway, y: HEIGHT.chest, r: shoulders * 0.9 },
    { x: 0, y: HEIGHT.waist, r: waist },
    { x: 0, y: HEIGHT.hip, r: hips },
    { x: 0, y: HEIGHT.crotch + 0.02, r: hips * 0.98 },
  ];
  const stance = random.uniform(0, 0.05);
  const sides = [-1, 1] as const;
  const arms = sides.map((side) => arm(side, sway + side * (shoulders - 0.014), build, random));
  const legs = sides.map((side) => {
    const bend = random.uniform(-0.01, 0.012);
    return [
      { x: side * hips * 0.5, y: 0.49, r: hips * 0.52 },
      { x: side * (hips * 0.5 + stance * 0.4) + bend, y: HEIGHT.knee, r: 0.036 * build },
      { x: side * (hips * 0.45 + stance), y: 0.945, r: 0.021 * build },
    ];
  });
  const feet = legs.map((leg, i) => {
    const ankle = leg[2];
    const turn = sides[i] * random.uniform(0.006, 0.03);
    return [
      { x: ankle.x, y: 0.965, r: 0.02 },
      { x: ankle.x + turn, y: 0.982, r: 0.018 },
    ];
  });
  return { head, trunk, arms: pair(arms), legs: pair(legs), feet: pair(feet) };
}

/** An arm that hangs, is bent at the elbow with the hand at the hip, or is raised to the bag's strap. */
function arm(side: number, x: number, build: number, random: Random): Joint[] {
  const pose = random.weighted({ hanging: 5, hip: 2, raised: 1 });
  const upper = { hanging: random.uniform(0.05, 0.3), hip: random.uniform(0.45, 0.7), raised: 0.35 }[pose];
  const lower = { hanging: upper - random.uniform(0, 0.2), hip: -0.75, raised: -2.4 }[pose];
  const shoulder = { x, y: HEIGHT.shoulder + 0.022, r: 0.026 * build };
  const elbow = swing(shoulder, side, upper, 0.165, 0.022 * build);
  const wrist = swing(elbow, side, lower, 0.135, 0.0155 * build);
  return [shoulder, elbow, wrist, swing(wrist, side, lower * 0.8, 0.035, 0.017)];
}

/** The joint `length` away, `angle` off the vertical towards the outside. */
function swing(from: Joint, side: number, angle: number, length: number, r: number): Joint {
  return { x: from.x + side * Math.sin(angle) * length, y: from.y + Math.cos(angle) * length, r };
}

function pair<T>(items: T[]): readonly [T, T] {
  return [items[0], items[1]];
}

/** The trunk between two heights, `pad` wider than the body. */
export function trunk(body: Body, top: number, bottom: number, pad: number): Shape {
  const whole = outline(body.trunk.map((row) => ({ ...row, r: row.r + pad })));
  return within(whole, rectangle(-1, top, 1, bottom));
}
