import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { mapConcurrently } from "../data/concurrency.ts";
import { DataError } from "../data/data-error.ts";
import { decodePair } from "../data/decode.ts";
import type { FolderDataset } from "../data/folder-dataset.ts";
import type { Remark } from "../data/remarks.ts";
import { sharp } from "../data/sharp.ts";
import { countClasses } from "../masks/count-classes.ts";

/** What a photo and its mask turned out to be. */
export interface Examination {
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The photo's format, by its content: `jpeg`. */
  readonly kind: string;
  /** Pixels of each class, and of `IGNORE`, at the photo's own size. */
  readonly pixels: ReadonlyMap<number, number>;
  readonly remarks: readonly Remark[];
  /** SHA-256 of the photo's bytes. */
  readonly digest: string;
  /** The photo in grey at {@link LOOK} × {@link LOOK} pixels. */
  readonly look: Uint8Array;
}

/** Height and width of what photos are compared by. */
export const LOOK = 16;

/** What was found of each pair, by its index: an examination, or why there is none. */
export interface Examined {
  readonly pairs: ReadonlyMap<number, Examination>;
  readonly faults: ReadonlyMap<number, DataError>;
}

/**
 * Decodes every pair of a data set at its own size.
 *
 * @throws the signal's reason
 */
export async function examine(
  dataset: FolderDataset,
  {
    signal,
    onProgress,
    lossyMasks,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number) => void) | undefined;
    readonly lossyMasks?: boolean | undefined;
  } = {},
): Promise<Examined> {
  const pairs = new Map<number, Examination>();
  const faults = new Map<number, DataError>();
  let done = 0;
  await mapConcurrently(dataset.pairs, async (pair, index) => {
    signal?.throwIfAborted();
    try {
      const { photo, mask, remarks } = await decodePair(pair, { labelling: dataset.labelling, lossyMasks });
      const { width, height } = photo;
      const bytes = await readFile(pair.image);
      const [{ format }, look] = await Promise.all([
        sharp(bytes).metadata(),
        sharp(photo.pixels, { raw: { width, height, channels: 3 } })
          .resize(LOOK, LOOK, { fit: "fill" })
          .greyscale()
          .raw()
          .toBuffer(),
      ]);
      const digest = createHash("sha256").update(bytes).digest("hex");
      pairs.set(index, { width, height, kind: format, pixels: countsOf(mask.labels), remarks, digest, look });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      faults.set(index, error);
    }
    onProgress?.(++done);
  });
  return { pairs, faults };
}

function countsOf(labels: Uint8Array): Map<number, number> {
  return new Map(
    [...countClasses([labels])].flatMap((pixels, label) => (pixels > 0 ? [[label, pixels] as const] : [])),
  );
}
