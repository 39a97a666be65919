import { CLOTHING_CLASSES } from "../class-names.ts";
import type { Sample } from "../dataset.ts";
import { Random } from "../random.ts";
import type { Size } from "../resize.ts";
import { background } from "./background.ts";
import { body } from "./body.ts";
import { handLayers } from "./hands.ts";
import { backHair, headLayers } from "./head.ts";
import type { Layer, Model } from "./layer.ts";
import { legLayers, shoeLayer } from "./legs.ts";
import { outfit } from "./outfit.ts";
import { grain, hair, skin } from "./paint.ts";
import { length, mayHold } from "./shapes.ts";
import { trunkLayers } from "./trunk.ts";

/** Street photos are about two thirds as wide as high; squeezed into another shape, people grow wider or narrower. */
const ASPECT = 2 / 3;

/**
 * Draws a clothed person before a background, and the exact mask of it, from shapes known by formula: a pure
 * function of (seed, index, size), and the same picture at every size but for the sampling.
 * @param size each side 16 or more.
 */
export function drawFigure(seed: number, index: number, size: Size): Sample {
  const random = new Random(seed, index);
  const behind = background(random);
  const layers = dress(random).reverse();
  const tall = random.uniform(0.8, 0.94);
  const top = random.uniform(0.02, 0.98 - tall);
  const middle = random.uniform(0.4, 0.6);
  const mirrored = random.chance(0.5) ? -1 : 1;
  const exposure = random.uniform(0.82, 1.12);
  const noise = random.integer(0, 0x7fffffff);

  const { height, width } = size;
  const image = new Float32Array(height * width * 3);
  const mask = new Uint8Array(height * width);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      const [u, v] = [(column + 0.5) / width, (row + 0.5) / height];
      const x = ((u - middle) * ASPECT * mirrored) / tall;
      const y = (v - top) / tall;
      const [layer, depth] = uppermost(layers, x, y);
      if (layer !== undefined) mask[i] = LABELS.get(layer.label)!;
      const pixel = layer === undefined ? behind(u, v) : layer.paint(x, y, depth);
      const shadow = layer === undefined && length(x / 0.16, (y - 0.995) / 0.018) < 1 ? 0.6 : 1;
      const light = exposure * shadow * grain(column, row, noise);
      for (let c = 0; c < 3; c++) image[3 * i + c] = Math.min(Math.max(pixel[c] * light, 0), 1);
    }
  }
  return { height, width, image, mask };
}

const LABELS = new Map<string, number>(CLOTHING_CLASSES.map((name, label) => [name, label]));

/** All layers of a random person, from the back to the front. */
function dress(random: Random): Layer[] {
  const model: Model = {
    body: body(random),
    outfit: outfit(random),
    skin: skin(random),
    hair: hair(random),
    random,
  };
  const legs = legLayers(model);
  const shoes = shoeLayer(model);
  return [
    ...backHair(model),
    ...legs,
    shoes,
    ...trunkLayers(model),
    ...headLayers(model),
    ...handLayers(model),
  ];
}

/** The first layer that the point is inside of, and how deep. */
function uppermost(layers: readonly Layer[], x: number, y: number): [Layer | undefined, number] {
  for (const layer of layers) {
    const { shape } = layer;
    if (!mayHold(shape, x, y)) continue;
    const depth = shape.depth(x, y);
    if (depth > 0) return [layer, depth];
  }
  return [undefined, 0];
}
