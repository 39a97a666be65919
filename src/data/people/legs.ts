import { HEIGHT, trunk } from "./body.ts";
import type { Layer, Model } from "./layer.ts";
import { cloth } from "./paint.ts";
import type { Garment } from "./paint.ts";
import type { Joint, Shape } from "./shapes.ts";
import { capsule, limb, outline, rectangle, union } from "./shapes.ts";

/** Bare legs and feet, and what is worn on them under a skirt or trousers. */
export function legLayers({ body, outfit, skin, random }: Model): Layer[] {
  const both = (from: number, to: number, pad: number): Shape =>
    union(...body.legs.map((leg) => limb(leg, from, to, pad)));
  const feet = union(...body.feet.map((foot) => limb(foot, 0, 1)));
  const layers: Layer[] = [{ label: "skin", shape: union(both(0, 1, 0), feet), paint: skin }];
  const { legwear } = outfit;
  if (legwear !== undefined) {
    const from = legwear === "socks" ? random.uniform(0.72, 0.85) : legwear === "stockings" ? 0.3 : 0;
    const paint = cloth(legwear, random);
    const shape = both(from, 1, legwear === "socks" ? 0.004 : 0.001);
    layers.push({ label: legwear, shape: legwear === "leggings" ? shape : union(shape, feet), paint });
  }
  return layers;
}

/** Trousers, shorts, briefs or a skirt from the waist down. */
export function bottomLayer(label: Garment, { body, random }: Model): Layer {
  const seat = trunk(body, HEIGHT.waist + 0.015, HEIGHT.crotch + 0.02, 0.004);
  const paint = cloth(label, random);
  if (label === "skirt")
    return {
      label,
      shape: skirt(body.trunk, random.uniform(0.56, 0.82), random.uniform(-0.01, 0.09)),
      paint,
    };
  if (label === "panties")
    return { label, shape: trunk(body, HEIGHT.hip - 0.02, HEIGHT.crotch + 0.015, 0.002), paint };
  const to = label === "shorts" ? random.uniform(0.2, 0.5) : random.uniform(0.88, 1);
  const pad = label === "leggings" ? 0.001 : label === "jeans" ? 0.005 : random.uniform(0.006, 0.016);
  return { label, shape: union(seat, ...body.legs.map((leg) => limb(leg, 0, to, pad))), paint };
}

/** From the waist to `hem`, where it is `flare` wider than the hips. */
export function skirt(rows: readonly Joint[], hem: number, flare: number): Shape {
  const [waist, hips] = [rows[4], rows[5]];
  return outline([
    { ...waist, y: waist.y - 0.005, r: waist.r + 0.005 },
    { ...hips, r: hips.r + 0.01 + Math.max(flare, 0) * 0.35 },
    { x: hips.x, y: hem, r: hips.r + flare },
  ]);
}

export function shoeLayer({ body, outfit, random }: Model): Layer {
  const label = outfit.shoes;
  const paint = cloth(label, random);
  const shapes = body.feet.map((foot, i) => shoe(label, foot, body.legs[i]));
  return { label, shape: union(...shapes), paint };
}

function shoe(label: Garment, foot: Joint[], leg: Joint[]): Shape {
  const [heel, toe] = foot;
  const upper = limb(foot, 0, 1, 0.005);
  const sole = (height: number): Shape =>
    rectangle(Math.min(heel.x, toe.x) - 0.022, 1 - height, Math.max(heel.x, toe.x) + 0.022, 1.004);
  switch (label) {
    case "boots":
      return union(upper, limb(leg, 0.62, 1, 0.009));
    case "heels":
    case "pumps":
      return union(
        capsule({ ...heel, r: 0.016 }, { ...toe, r: 0.02 }),
        capsule({ ...heel, r: 0.006 }, { ...heel, y: 1, r: 0.005 }),
      );
    case "sandals":
      return union(
        sole(0.012),
        capsule({ ...toe, x: toe.x - 0.024, r: 0.006 }, { ...toe, x: toe.x + 0.024, r: 0.006 }),
        capsule(
          { ...heel, x: heel.x - 0.022, y: 0.955, r: 0.006 },
          { ...heel, x: heel.x + 0.022, y: 0.955, r: 0.006 },
        ),
      );
    case "wedges":
      return union(limb(foot, 0, 1, 0.001), sole(0.024));
    case "clogs":
      return union(capsule({ ...toe, y: 0.975, r: 0.026 }, toe), sole(0.016));
    case "flats":
      return capsule({ ...heel, y: 0.982, r: 0.017 }, { ...toe, y: 0.984, r: 0.02 });
    default:
      return upper;
  }
}
