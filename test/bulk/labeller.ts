import { writeFile } from "node:fs/promises";
import type { Photo } from "../../src/data/photo.ts";
import { encoderNamed } from "../../src/layers/networks/encoders.ts";
import type { Labeller } from "../../src/use/labeller.ts";
import type { Model } from "../../src/use/model.ts";

/** A labeller without a network: a pixel's class is by how red it is. What shards are about is what becomes of the masks. */
export class RednessLabeller implements Labeller {
  readonly model: Model;
  readonly precision = "f32";
  readonly photosAtOnce = 2;
  readonly view = "as it is";
  readonly bytes = 0;
  /** Photos that were labelled. */
  labelled = 0;
  /** Waited for before each batch. */
  before: () => Promise<void> = () => Promise.resolve();

  private constructor(file: string) {
    this.model = {
      ...{ file, run: null, imageSize: { width: 32, height: 32 }, resize: "stretch" },
      ...{ classNames: ["null", "red"], encoder: encoderNamed("densenet121"), decoder: "transpose" },
      ...{ normalization: "unit", precision: "f32" },
    };
  }

  /** @param file gets what stands for the model's weights */
  static async create(file: string, weights = "weights"): Promise<RednessLabeller> {
    await writeFile(file, weights);
    return new RednessLabeller(file);
  }

  async label(
    photos: readonly Photo[],
    signal?: AbortSignal,
  ): Promise<{ mask: Uint8Array<ArrayBuffer>; logits: null }[]> {
    await this.before();
    signal?.throwIfAborted();
    this.labelled += photos.length;
    return photos.map(({ width, height, pixels }) => ({
      mask: Uint8Array.from({ length: width * height }, (_, i) => (pixels[3 * i] > 128 ? 1 : 0)),
      logits: null,
    }));
  }

  destroy(): void {
    // It holds nothing.
  }
}
