import type { Size } from "../resize.ts";
import { sharp } from "../sharp.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";

/**
 * The photo after it was saved as a JPEG file (colour at half the resolution) and read again, as torchvision's `JPEG` and
 * albumentations' `ImageCompression` do it. Values are rounded to bytes and clipped. A pure function: neither libjpeg-turbo's encoder
 * nor its decoder leaves anything to chance.
 *
 * @param image `[height, width, 3]` in [0, 1].
 * @param quality 1 to 100.
 */
export async function throughJpeg(
  image: Float32Array,
  { width, height }: Size,
  quality: number,
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = new Uint8Array(image.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(Math.min(1, Math.max(0, image[i])) * 255);
  const file = await sharp(bytes, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: "4:2:0" })
    .toBuffer();
  const read = await sharp(file).raw().toBuffer();
  const result = new Float32Array(image.length);
  for (let i = 0; i < result.length; i++) result[i] = read[i] / 255;
  return result;
}

const WORST = 20;
const BEST = 90;

/** The blocks and fringes of a small file. The mask stays. */
export const jpeg: RandomAugmentation = {
  probability: 0.2,
  apply: async (sample, random) => ({
    ...sample,
    image: await throughJpeg(sample.image, sample, random.integer(WORST, BEST)),
  }),
};
