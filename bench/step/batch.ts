import { toSize } from "../../src/image-size.ts";
import type { ImageSize } from "../../src/image-size.ts";

/** A batch of photos and labels, as a training step is fed. */
export interface BenchBatch {
  /** `[N, H, W, 3]` in [0, 1). */
  readonly image: Float32Array;
  /** `[N, H, W]`. */
  readonly labels: Uint32Array;
}

/**
 * Noise instead of photos and labels: a hash of each number's place, so that a program in another language can make the
 * same batch and must come to the same loss.
 */
export function noiseBatch(batchSize: number, imageSize: ImageSize, classes: number): BenchBatch {
  const { height, width } = toSize(imageSize);
  const pixels = batchSize * height * width;
  return {
    image: Float32Array.from({ length: 3 * pixels }, (_, i) => (mix(i) >>> 8) / 2 ** 24),
    labels: Uint32Array.from({ length: pixels }, (_, i) => mix(i ^ 0x80000000) % classes),
  };
}

/** The last steps of MurmurHash3: 32 well-mixed bits of an index. */
export function mix(index: number): number {
  let h = index | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
