import { HEIGHT, trunk } from "./body.ts";
import type { Body } from "./body.ts";
import type { Layer, Model } from "./layer.ts";
import { bottomLayer, skirt } from "./legs.ts";
import { cloth } from "./paint.ts";
import type { Garment, Paint } from "./paint.ts";
import type { Joint, Shape } from "./shapes.ts";
import { capsule, ellipse, limb, outline, union, without } from "./shapes.ts";

/** Trunk and arms: skin, garments from the inside out, sleeves. */
export function trunkLayers(model: Model): Layer[] {
  const { body, outfit, skin, random } = model;
  const { top, bottom, onePiece, outer, extras } = outfit;
  const layers: Layer[] = [{ label: "skin", shape: outline(body.trunk), paint: skin }];
  const sleeves: Layer[] = [];
  const wear = (label: Garment, pieces: { shape: Shape; sleeve: number; pad: number }): void => {
    const paint = cloth(label, random);
    layers.push({ label, shape: pieces.shape, paint });
    if (pieces.sleeve > 0)
      sleeves.push({ label, shape: bothSleeves(body, pieces.sleeve, pieces.pad), paint });
  };

  const tucked = random.chance(0.5);
  if (bottom !== undefined && !tucked) layers.push(bottomLayer(bottom, model));
  if (top !== undefined) wear(top, topPieces(top, model));
  if (bottom !== undefined && tucked) layers.push(bottomLayer(bottom, model));
  if (extras.has("tie")) layers.push(tie(body, cloth("tie", random)));
  if (onePiece !== undefined) wear(onePiece, onePieces(onePiece, model));
  if (extras.has("belt")) {
    const belt = trunk(body, HEIGHT.waist - 0.005, HEIGHT.waist + 0.017, 0.012);
    layers.push({ label: "belt", shape: belt, paint: cloth("belt", random) });
  }
  if (outer !== undefined) wear(outer, outerPieces(outer, model));
  const arms = union(...body.arms.map((arm) => limb(arm, 0, 1)));
  const covering = outer === "cape" ? layers.splice(-1) : [];
  return [...layers, { label: "skin", shape: arms, paint: skin }, ...sleeves, ...covering];
}

interface Pieces {
  shape: Shape;
  /** How far down the arm a sleeve goes, 0 for none. */
  sleeve: number;
  /** How much wider than the arm it is. */
  pad: number;
}

function topPieces(label: Garment, { body, random }: Model): Pieces {
  const hem = HEIGHT.hip + random.uniform(-0.04, 0.02);
  if (label === "bra") return { shape: trunk(body, 0.215, 0.265, 0.002), sleeve: 0, pad: 0 };
  if (label === "top") return { shape: strapped(body, hem, random.uniform(0.002, 0.012)), sleeve: 0, pad: 0 };
  const wide = ["sweater", "sweatshirt", "hoodie", "jumper"].includes(label);
  const pad = wide ? random.uniform(0.012, 0.022) : random.uniform(0.003, 0.012);
  const long = random.uniform(0.55, 0.68);
  const sleeve = label === "t-shirt" ? random.uniform(0.17, 0.25) : wide ? 0.66 : long;
  const shirt = without(
    trunk(body, HEIGHT.neck + 0.008, hem, pad),
    neckline(body, random.uniform(0.01, 0.035)),
  );
  if (label !== "hoodie") return { shape: shirt, sleeve, pad };
  const hood = ellipse(body.head.x, HEIGHT.neck + 0.012, 0.062, 0.022);
  return { shape: union(shirt, without(hood, neckline(body, 0.01))), sleeve, pad };
}

function onePieces(label: Garment, model: Model): Pieces {
  const { body, random } = model;
  if (label === "dress") {
    const sleeve = random.pick([0, 0, 0.22, 0.62]);
    const hem = random.uniform(0.6, 0.9);
    const lower = skirt(body.trunk, hem, random.uniform(0, 0.1));
    const bodice =
      sleeve === 0 ? strapped(body, HEIGHT.waist + 0.02, 0.004) : shirtOf(body, 0.005, HEIGHT.waist + 0.02);
    return { shape: union(bodice, lower), sleeve, pad: 0.006 };
  }
  if (label === "suit") {
    const trousers = bottomLayer("pants", model).shape;
    const collar = outline([
      { x: body.trunk[1].x, y: HEIGHT.neck, r: 0.03 },
      { x: 0, y: HEIGHT.chest + 0.06, r: 0 },
    ]);
    const coat = without(trunk(body, HEIGHT.neck + 0.01, HEIGHT.crotch + 0.02, 0.012), collar);
    return { shape: union(trousers, coat), sleeve: 0.66, pad: 0.01 };
  }
  if (label === "romper") {
    const shorts = limbs(body, random.uniform(0.2, 0.4), 0.018);
    const upper = strapped(body, HEIGHT.crotch + 0.02, 0.01);
    return { shape: union(upper, shorts), sleeve: random.pick([0, 0.2]), pad: 0.008 };
  }
  if (label === "bodysuit")
    return { shape: shirtOf(body, 0.001, HEIGHT.crotch + 0.02), sleeve: 0.64, pad: 0.001 };
  if (label === "intimate") return { shape: strapped(body, HEIGHT.crotch + 0.06, 0.008), sleeve: 0, pad: 0 };
  const bikini = union(
    trunk(body, 0.21, 0.27, 0.002),
    trunk(body, HEIGHT.hip - 0.03, HEIGHT.crotch + 0.018, 0.003),
  );
  const swimsuit = strapped(body, HEIGHT.crotch + 0.018, 0.001);
  return { shape: random.chance(0.5) ? bikini : swimsuit, sleeve: 0, pad: 0 };
}

/** Between which heights outer garments end. */
const HEMS: Readonly<Partial<Record<Garment, readonly [number, number]>>> = {
  coat: [0.6, 0.78],
  blazer: [0.48, 0.52],
  jacket: [0.42, 0.48],
  vest: [0.42, 0.5],
  cardigan: [0.5, 0.62],
};

function outerPieces(label: Garment, { body, random }: Model): Pieces {
  const [neck, hips] = [body.trunk[0], body.trunk[5]];
  if (label === "cape") {
    const shape = outline([
      { ...neck, y: HEIGHT.neck + 0.005, r: 0.045 },
      { ...body.trunk[2], r: body.trunk[2].r + 0.035 },
      { x: 0, y: random.uniform(0.42, 0.58), r: hips.r + random.uniform(0.07, 0.11) },
    ]);
    return { shape: without(shape, opening(body, random.uniform(0, 0.03))), sleeve: 0, pad: 0 };
  }
  const hem = random.uniform(...(HEMS[label] ?? [0.45, 0.5]));
  const pad = label === "coat" ? 0.022 : 0.015;
  const rows: Joint[] = body.trunk.filter((row) => row.y < hem).map((row) => ({ ...row, r: row.r + pad }));
  rows.push({ x: hips.x, y: hem, r: hips.r + pad + random.uniform(0, Math.max(hem - 0.45, 0) * 0.2) });
  const shape = without(outline(rows), opening(body, random.uniform(-0.01, 0.05)));
  return { shape, sleeve: label === "vest" ? 0 : 0.66, pad: label === "coat" ? 0.013 : 0.009 };
}

/** Where an open garment shows what is under it: a V when `half` is below 0, else a gap of that half width. */
function opening(body: Body, half: number): Shape {
  const x = body.trunk[1].x;
  const bottom = half > 0.008 ? { x: 0, y: 1, r: half } : { x: 0, y: HEIGHT.chest + 0.03, r: 0 };
  return outline([
    { x, y: HEIGHT.neck, r: 0.034 },
    { x: x / 2, y: HEIGHT.chest + 0.02, r: Math.max(half, 0.004) },
    bottom,
  ]);
}

function shirtOf(body: Body, pad: number, bottom: number): Shape {
  return without(trunk(body, HEIGHT.neck + 0.008, bottom, pad), neckline(body, 0.03));
}

/** A garment without shoulders, on two straps. */
function strapped(body: Body, bottom: number, pad: number): Shape {
  const { x } = body.trunk[2];
  const straps = [-1, 1].map((side) =>
    capsule({ x: x + side * 0.05, y: 0.15, r: 0.008 }, { x: x + side * 0.055, y: 0.22, r: 0.01 }),
  );
  return union(trunk(body, 0.2, bottom, pad), ...straps);
}

function neckline(body: Body, drop: number): Shape {
  return ellipse(body.trunk[0].x, HEIGHT.neck, 0.034, 0.016 + drop);
}

function bothSleeves(body: Body, to: number, pad: number): Shape {
  return union(...body.arms.map((arm) => limb(arm, 0, to, pad)));
}

function limbs(body: Body, to: number, pad: number): Shape {
  return union(...body.legs.map((leg) => limb(leg, 0, to, pad)));
}

function tie(body: Body, paint: Paint): Layer {
  const x = body.trunk[1].x;
  const shape = outline([
    { x, y: HEIGHT.neck + 0.015, r: 0.012 },
    { x, y: HEIGHT.neck + 0.03, r: 0.007 },
    { x: x / 2, y: HEIGHT.waist - 0.02, r: 0.016 },
    { x: x / 2, y: HEIGHT.waist, r: 0.002 },
  ]);
  return { label: "tie", shape, paint };
}
