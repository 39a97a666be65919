/** @file What the encoder makes of one photo, as numbers on the host. */
import { toSize } from "../../image-size.ts";
import type { Feeds } from "../../graph/program.ts";
import { skipsOf } from "../../layers/unet.ts";
import { encoderOf, skipInput } from "./programs.ts";
import type { NetworkSpec } from "./programs.ts";

/** The skips of one photo back to back, in the order of `skipsOf`. */
export type Features = Float32Array<ArrayBuffer>;

/** What decides their number. */
export type FeatureSpec = Pick<NetworkSpec, "imageSize" | "encoder">;

/** Where each skip lies in {@link Features}, in elements. */
interface Part {
  readonly input: string;
  readonly begin: number;
  readonly end: number;
}

/** Bytes of the features of a photo: 720 KiB at a side of 64 of DenseNet121, 2.8 MiB at 128. */
export const featureBytes = (spec: FeatureSpec): number => 4 * partsOf(spec).at(-1)!.end;

/**
 * The features of the first `count` photos of a batch.
 *
 * @param skips what the encoder's program gives, each skip of the whole batch.
 */
export function splitFeatures(
  skips: Readonly<Record<string, Float32Array | Uint32Array>>,
  count: number,
  spec: FeatureSpec,
): Features[] {
  const parts = partsOf(spec);
  return Array.from({ length: count }, (_, photo) => {
    const features = new Float32Array(parts.at(-1)!.end);
    for (const { input, begin, end } of parts) {
      const first = photo * (end - begin);
      features.set(skips[input].subarray(first, first + end - begin), begin);
    }
    return features;
  });
}

/** Lays features out as the inputs of a program; its arrays are made once and filled anew for each batch. */
export class FeatureStack {
  readonly #parts: readonly Part[];
  /** By the number of photos. */
  readonly #feeds = new Map<number, Record<string, Float32Array<ArrayBuffer>>>();

  constructor(spec: FeatureSpec) {
    this.#parts = partsOf(spec);
  }

  /** Feeds for a program of as many photos. The next call with as many overwrites them, so run the program first. */
  fill(photos: readonly Features[]): Feeds {
    const feeds = this.#of(photos.length);
    for (const { input, begin, end } of this.#parts) {
      for (const [place, features] of photos.entries())
        feeds[input].set(features.subarray(begin, end), place * (end - begin));
    }
    return feeds;
  }

  #of(photos: number): Record<string, Float32Array<ArrayBuffer>> {
    let feeds = this.#feeds.get(photos);
    if (!feeds) {
      const sized = this.#parts.map(
        ({ input, begin, end }) => [input, new Float32Array(photos * (end - begin))] as const,
      );
      feeds = Object.fromEntries(sized);
      this.#feeds.set(photos, feeds);
    }
    return feeds;
  }
}

function partsOf({ imageSize, encoder }: FeatureSpec): Part[] {
  let end = 0;
  const { height, width } = toSize(imageSize);
  return skipsOf(encoderOf({ encoder })).map(({ name, stride, channels }) => {
    const begin = end;
    end += (height / stride) * (width / stride) * channels;
    return { input: skipInput(name), begin, end };
  });
}
