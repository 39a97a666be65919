/** @file The numbers that `keras_outputs.py` gives to weights and photos, which says what they are. */
import type { Layer, LayerWeight } from "../../../src/layers/networks/layer.ts";
import { sizeOf } from "../../../src/graph/shape.ts";

/** Numbers in [0, 1) that follow from a name. */
function uniform(name: string, count: number): Float64Array {
  let seed = 2166136261;
  for (const byte of Buffer.from(name, "ascii")) seed = Math.imul(seed ^ byte, 16777619);
  return new Float64Array(count).map((_, i) => {
    const s = (Math.imul(seed + Math.imul(i, 2654435769), 747796405) + 2891336453) >>> 0;
    const w = Math.imul((s >>> ((s >>> 28) + 4)) ^ s, 277803737) >>> 0;
    return ((w ^ (w >>> 22)) >>> 8) / 2 ** 24;
  });
}

/** The values of a weight. */
export function drawnWeight({ name, role, shape }: LayerWeight, gain: number): Float32Array {
  const [centre, width] = spread(role, shape, gain);
  return new Float32Array(uniform(name, sizeOf(shape)).map((u) => centre + width * (2 * u - 1)));
}

/** Photos `[photos, size, size, 3]`: in −1…1, or in 0…255 for a network that scales by itself. */
export function drawnPhotos(
  size: number,
  { inside, photos = 1 }: { inside: boolean; photos?: number },
): Float32Array {
  return Float32Array.from(uniform("image", photos * size * size * 3), (u) => (inside ? 255 * u : 2 * u - 1));
}

/** A class for each pixel of photos, `[photos, size, size]`. */
export function drawnLabels(
  size: number,
  { classes, photos }: { classes: number; photos: number },
): Uint32Array {
  return Uint32Array.from(uniform("labels", photos * size * size), (u) => Math.floor(classes * u));
}

function spread(role: LayerWeight["role"], shape: readonly number[], gain: number): [number, number] {
  if (role.endsWith("kernel")) {
    const fanIn = role === "depthwise_kernel" ? shape[0] * shape[1] : sizeOf(shape.slice(0, -1));
    return [0, Math.sqrt(gain / fanIn)];
  }
  if (role === "gamma") return [1, 0.2];
  return role === "moving_variance" ? [1, 0.3] : [0, 0.1];
}

/** First values for all variables of some layers. */
export function* drawnVariables(
  layers: readonly Layer[],
  gain: number,
): Generator<[string, { shape: readonly number[]; data: Float32Array }]> {
  for (const weight of layers.flatMap(({ weights }) => weights)) {
    yield [weight.name, { shape: weight.shape, data: drawnWeight(weight, gain) }];
  }
}
