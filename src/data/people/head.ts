import { HEIGHT } from "./body.ts";
import type { Layer, Model } from "./layer.ts";
import { cloth, face } from "./paint.ts";
import { capsule, ellipse, outline, rectangle, union, within, without } from "./shapes.ts";

/** Hair that falls behind the shoulders, to be drawn before everything else. */
export function backHair({ body, hair, random }: Model): Layer[] {
  if (!random.chance(0.6)) return [];
  const { x, r } = body.head;
  const ends = random.uniform(0.13, 0.27);
  const shape = outline([
    { x, y: 0.03, r: r * 0.9 },
    { x, y: 0.08, r: r * 1.3 },
    { x, y: ends, r: r * random.uniform(1.1, 1.7) },
  ]);
  return [{ label: "hair", shape, paint: hair }];
}

/** Neck, head, hair, and what is worn on and about them. */
export function headLayers({ body, outfit, skin, hair, random }: Model): Layer[] {
  const { x, y, r } = body.head;
  const { extras } = outfit;
  const neck = capsule(
    { x, y: y + 0.03, r: 0.025 },
    { x: body.trunk[1].x, y: HEIGHT.neck + 0.015, r: 0.026 },
  );
  const layers: Layer[] = [{ label: "skin", shape: neck, paint: skin }];
  const put = (
    label: "necklace" | "scarf" | "earrings" | "glasses" | "sunglasses" | "hat" | "accessories",
  ) => ({
    on: (shape: Layer["shape"]): void => {
      if (extras.has(label)) layers.push({ label, shape, paint: cloth(label, random) });
    },
  });
  const collar = body.trunk[1].x;
  put("necklace").on(
    within(
      without(ellipse(collar, 0.15, 0.048, 0.062), ellipse(collar, 0.147, 0.038, 0.05)),
      rectangle(-1, 0.15, 1, 1),
    ),
  );
  layers.push({ label: "skin", shape: ellipse(x, y, r * 0.92, 0.062), paint: face(skin, x, y) });
  const cap = without(
    ellipse(x, y - 0.008, r * 1.14, 0.068),
    ellipse(x + random.uniform(-0.008, 0.008), y + 0.018, r * 0.82, 0.052),
  );
  layers.push({
    label: "hair",
    shape: within(cap, rectangle(-1, -1, 1, y + random.uniform(0.0, 0.05))),
    paint: hair,
  });
  if (random.chance(0.2))
    layers.push({ label: "hair", shape: ellipse(x, y - 0.07, 0.024, 0.022), paint: hair });
  const scarf = union(
    ellipse(collar, HEIGHT.neck + 0.008, 0.056, 0.024),
    capsule(
      { x: collar + 0.02, y: 0.15, r: 0.018 },
      { x: collar + 0.03, y: random.uniform(0.2, 0.36), r: 0.02 },
    ),
  );
  put("scarf").on(scarf);
  put("earrings").on(union(ellipse(x - r, y + 0.028, 0.009, 0.014), ellipse(x + r, y + 0.028, 0.009, 0.014)));
  const lens = (size: number) =>
    union(ellipse(x - 0.018, y, size, size * 0.8), ellipse(x + 0.018, y, size, size * 0.8));
  const bridge = rectangle(x - r * 0.9, y - 0.006, x + r * 0.9, y - 0.001);
  if (extras.has("sunglasses")) put("sunglasses").on(union(lens(0.017), bridge));
  else put("glasses").on(union(without(lens(0.017), lens(0.0105)), bridge));
  const brim = random.uniform(1.1, 1.9);
  const crown = within(ellipse(x, y - 0.022, r * 1.18, 0.07), rectangle(-1, -1, 1, y - 0.028));
  put("hat").on(union(crown, ellipse(x, y - 0.03, r * brim, 0.012)));
  const flower = random.chance(0.5)
    ? ellipse(x + 0.034, y - 0.04, 0.02, 0.017)
    : ellipse(body.trunk[2].x + 0.045, 0.225, 0.018, 0.016);
  put("accessories").on(flower);
  return layers;
}
