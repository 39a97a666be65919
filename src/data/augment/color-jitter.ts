import type { Random } from "../random.ts";
import { adjustHue } from "./colour.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";

/** `[height, width, 3]`, RGB in [0, 1]. */
type Image = Float32Array;

/** The luma of ITU-R BT.601 as torchvision's `rgb_to_grayscale` has it. */
const grey = (image: Image, i: number): number =>
  0.2989 * image[i] + 0.587 * image[i + 1] + 0.114 * image[i + 2];

const clipped = (value: number): number => (value > 0 ? (value < 1 ? value : 1) : 0);

/** `torchvision.transforms.functional.adjust_brightness`: `factor · x`, clipped to [0, 1]. */
export const scaleBrightness = (image: Image, factor: number): Image =>
  image.map((value) => clipped(factor * value));

/** `adjust_contrast`: `factor · x + (1 − factor) · m`, clipped, where m is the mean of the photo in grey. */
export function scaleContrast(image: Image, factor: number): Image {
  let sum = 0;
  for (let i = 0; i < image.length; i += 3) sum += grey(image, i);
  const rest = ((1 - factor) * sum) / (image.length / 3);
  return image.map((value) => clipped(factor * value + rest));
}

/** `adjust_saturation`: `factor · x + (1 − factor) · g`, clipped, where g is the pixel in grey. */
export function scaleSaturation(image: Image, factor: number): Image {
  const result = new Float32Array(image.length);
  for (let i = 0; i < image.length; i += 3) {
    const rest = (1 - factor) * grey(image, i);
    result[i] = clipped(factor * image[i] + rest);
    result[i + 1] = clipped(factor * image[i + 1] + rest);
    result[i + 2] = clipped(factor * image[i + 2] + rest);
  }
  return result;
}

/** How far a factor is from 1, and by which part of a turn the hue changes, either way. */
const [FACTOR, HUE] = [0.4, 0.1];

/** As torchvision's `ColorJitter(0.4, 0.4, 0.4, 0.1)`: each of the four by a number of its own, in an order of its own. */
function jitter(image: Image, random: Random): Image {
  const factor = (): number => random.uniform(1 - FACTOR, 1 + FACTOR);
  const changes: ((image: Image) => Image)[] = [
    (of) => scaleBrightness(of, factor()),
    (of) => scaleContrast(of, factor()),
    (of) => scaleSaturation(of, factor()),
    (of) => adjustHue(of, random.uniform(-HUE, HUE)),
  ];
  return random.shuffled(changes).reduce((result, change) => change(result), image);
}

/** Brightness, contrast, saturation and hue, of the photo only. */
export const colorJitter: RandomAugmentation = {
  probability: 0.8,
  apply: (sample, random) => ({ ...sample, image: jitter(sample.image, random) }),
};
