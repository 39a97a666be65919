import type { Sample } from "../dataset.ts";

/** The sample with the pixels of `other`, photo and mask, wherever `isPasted` says so of a pixel's number, row by row. */
export function paste(sample: Sample, other: Sample, isPasted: (pixel: number) => boolean): Sample {
  const [image, mask] = [Float32Array.from(sample.image), Uint8Array.from(sample.mask)];
  for (let pixel = 0, to = 0; pixel < mask.length; pixel++, to += 3) {
    if (!isPasted(pixel)) continue;
    mask[pixel] = other.mask[pixel];
    image[to] = other.image[to];
    image[to + 1] = other.image[to + 1];
    image[to + 2] = other.image[to + 2];
  }
  return { ...sample, image, mask };
}
