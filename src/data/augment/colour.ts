import { DataError } from "../data-error.ts";
import { power } from "./power.ts";

/** `[height, width, 3]`, RGB; mostly in [0, 1], but nothing here needs it. */
type Image = Float32Array;
/** An image of its own. */
type NewImage = Float32Array<ArrayBuffer>;

const f32 = Math.fround;

/** `tf.image.adjust_brightness` of a float image: `x + delta`, not clipped. */
export function adjustBrightness(image: Image, delta: number): NewImage {
  const added = f32(delta);
  const result = new Float32Array(image.length);
  for (let i = 0; i < result.length; i++) result[i] = image[i] + added;
  return result;
}

/**
 * `tf.image.adjust_gamma` of a float image: `x ** gamma`. A negative value becomes NaN unless gamma is whole.
 * @throws DataError for a negative gamma.
 */
export function adjustGamma(image: Image, gamma: number): NewImage {
  if (!(gamma >= 0)) {
    throw new DataError(`The gamma ${gamma} cannot be used: give a number from 0 up.`);
  }
  return power(image, gamma);
}

/**
 * `tf.image.adjust_hue`: turns the hue by `delta` of a whole turn, around the end and on; saturation and value
 * stay. Step by step in float32 as TensorFlow's kernel AdjustHue computes it, which works on the smallest, middle
 * and largest channel and so takes values outside [0, 1] as they are.
 * @throws DataError for a delta outside [−1, 1].
 */
export function adjustHue(image: Image, delta: number): NewImage {
  if (!(delta >= -1 && delta <= 1)) {
    throw new DataError(`The hue cannot be turned by ${delta}: give a part of a turn, from -1 to 1.`);
  }
  const turned = f32(f32(delta) * 6);
  const result = new Float32Array(image.length);
  for (let i = 0; i < result.length; i += 3) {
    const red = image[i];
    const green = image[i + 1];
    const blue = image[i + 2];
    const low = Math.min(red, green, blue);
    const high = Math.max(red, green, blue);
    const range = f32(high - low);
    let hue = f32(hueOf(red, green, blue, low, range) + turned);
    while (hue < 0) hue = f32(hue + 6);
    while (hue >= 6) hue = f32(hue - 6);
    // Within a sixth of the turn one channel is the highest, one the lowest, and the third rises or falls.
    const sixth = Math.trunc(hue);
    const ratio = f32(hue - sixth);
    const middle = f32(low + f32((sixth & 1 ? f32(1 - ratio) : ratio) * range));
    const order = PLACES[sixth];
    result[i + (order & 3)] = high;
    result[i + ((order >> 2) & 3)] = middle;
    result[i + (order >> 4)] = low;
  }
  return result;
}

/** For each sixth of the turn, the channels that are highest, middle and lowest: two bits each, from the lowest. */
const PLACES = [0b10_01_00, 0b10_00_01, 0b00_10_01, 0b00_01_10, 0b01_00_10, 0b01_10_00];

/** Hue in [0, 6]: red 0, green 2, blue 4; of a grey 0. */
function hueOf(red: number, green: number, blue: number, low: number, range: number): number {
  if (range === 0) return 0;
  if (red < green) {
    if (blue < red) return f32(1 + f32(1 - f32(f32(red - low) / range)));
    if (blue > green) return f32(3 + f32(1 - f32(f32(green - low) / range)));
    return f32(2 + f32(f32(blue - low) / range));
  }
  if (blue < green) return f32(f32(green - low) / range);
  if (blue > red) return f32(4 + f32(f32(red - low) / range));
  return f32(5 + f32(1 - f32(f32(blue - low) / range)));
}
