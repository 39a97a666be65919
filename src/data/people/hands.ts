import type { Layer, Model } from "./layer.ts";
import { cloth } from "./paint.ts";
import type { Garment } from "./paint.ts";
import type { Shape } from "./shapes.ts";
import { capsule, ellipse, limb, rectangle, union, without } from "./shapes.ts";

/** What is worn on the hands and wrists, and what is carried. */
export function handLayers({ body, outfit, random }: Model): Layer[] {
  const layers: Layer[] = [];
  const put = (label: Garment, shape: () => Shape): void => {
    if (outfit.extras.has(label)) layers.push({ label, shape: shape(), paint: cloth(label, random) });
  };
  const carrying = random.integer(0, 1);
  const [arm, other] = [body.arms[carrying], body.arms[1 - carrying]];
  const hand = arm[3];
  put("gloves", () => union(limb(arm, 0.64, 1, 0.004), limb(other, 0.64, 1, 0.004)));
  put("bracelet", () => limb(arm, 0.61, 0.655, 0.004));
  put("watch", () => limb(other, 0.6, 0.65, 0.004));
  put("ring", () => ellipse(other[3].x, other[3].y + 0.006, 0.012, 0.008));
  put("wallet", () => rectangle(other[3].x - 0.024, other[3].y, other[3].x + 0.024, other[3].y + 0.034));
  put("purse", () => {
    const [w, h] = [random.uniform(0.035, 0.05), random.uniform(0.022, 0.032)];
    return rectangle(other[3].x - w, other[3].y - 0.01, other[3].x + w, other[3].y - 0.01 + 2 * h);
  });
  put("bag", () => {
    const [w, h] = [random.uniform(0.045, 0.07), random.uniform(0.04, 0.065)];
    if (random.chance(0.35)) {
      const side = carrying === 0 ? -1 : 1;
      const [x, y] = [side * (body.trunk[5].r + w * 0.6), random.uniform(0.43, 0.5)];
      const strap = capsule(
        { x: body.trunk[2].x - side * 0.05, y: 0.16, r: 0.007 },
        { x, y: y - h, r: 0.007 },
      );
      return union(strap, rectangle(x - w, y - h, x + w, y + h));
    }
    const top = hand.y + 0.05;
    const handle = without(
      ellipse(hand.x, top, w * 0.6, 0.055),
      ellipse(hand.x, top, w * 0.6 - 0.011, 0.044),
    );
    return union(
      handle,
      capsule({ x: hand.x - w * 0.7, y: top + h, r: h }, { x: hand.x + w * 0.7, y: top + h, r: h }),
    );
  });
  return layers;
}
