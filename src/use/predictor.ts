import { normalize } from "../data/normalize.ts";
import { sameSize, sizeText } from "../image-size.ts";
import { resizeBilinear } from "../data/resize.ts";
import type { Size } from "../data/resize.ts";
import type { Photo } from "../data/photo.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { smallestSide } from "../layers/networks/image-size.ts";
import type { Precision } from "../config/index.ts";
import { maskFromLogits } from "../masks/mask-from-logits.ts";
import type { Labelled, Labeller } from "./labeller.ts";
import type { Model } from "./model.ts";
import { NetworkPrograms } from "./network-programs.ts";
import { flipLines, viewsOf } from "./views.ts";
import type { Tta } from "./views.ts";

export interface PredictorOptions {
  /** Photos that are labelled at once; {@link PHOTOS} by default. */
  readonly batchSize?: number | undefined;
  /** What activations are stored in, whatever the network was trained in; f32 by default. */
  readonly precision?: Precision | undefined;
  /** Views whose probabilities are averaged besides that of the photo as it is; none by default. */
  readonly tta?: readonly Tta[];
}

/** Few, for they are in memory at their full size. */
export const PHOTOS = 4;

/** How the network is shown a photo: at this size. */
interface ResizedView extends Size {
  readonly flipped: boolean;
}

/** A trained network that sees photos as in training: resized to one size, without regard to their proportions. */
export class Predictor implements Labeller {
  readonly model: Model;
  readonly photosAtOnce: number;
  readonly precision: Precision;
  readonly view: string;
  readonly #programs: NetworkPrograms;
  readonly #views: readonly ResizedView[];

  private constructor(programs: NetworkPrograms, views: readonly ResizedView[]) {
    this.model = programs.model;
    this.photosAtOnce = programs.batchSize;
    this.precision = programs.precision;
    this.view = `resized to ${sizeText(this.model.imageSize)}${views.length > 1 ? `, in ${views.length} views` : ""}`;
    this.#programs = programs;
    this.#views = views;
  }

  /**
   * Rebuilds the network on `gpu` and fills it.
   *
   * @throws WeightsError naming the tensor of the model's file that is missing or does not fit; ModelError or GpuError when it
   *   does not fit into memory or the adapter has no numbers of this precision.
   */
  static async create(gpu: Gpu, model: Model, options: PredictorOptions = {}): Promise<Predictor> {
    const { batchSize = PHOTOS, precision = "f32", tta = [] } = options;
    const views = resizedViews(model, tta);
    const scores = views.length === 1 ? "logits" : "probabilities";
    return new Predictor(
      await NetworkPrograms.create(gpu, model, model.imageSize, { batchSize, precision, scores }),
      views,
    );
  }

  get bytes(): number {
    return this.#programs.bytes;
  }

  /**
   * What the network says of at most `photosAtOnce` photos of any size, each `[height, width, classes]` of the model's image size: its logits,
   * or the mean of its probabilities where there are several views. Photos are prepared as in training: resized bilinearly,
   * divided by 255, normalized.
   *
   * @throws ModelError when the network gives something else than finite numbers.
   */
  async scores(photos: readonly Photo[]): Promise<Float32Array[]> {
    const [first, ...others] = this.#views;
    const sums = await this.#see(photos, first);
    if (others.length === 0) return sums;
    const { imageSize, classNames } = this.model;
    for (const view of others) {
      for (const [i, scores] of (await this.#see(photos, view)).entries()) {
        const sum = sums[i];
        const resized = sameSize(view, imageSize)
          ? scores
          : resizeBilinear(scores, view, classNames.length, imageSize);
        for (let at = 0; at < sum.length; at++) sum[at] += resized[at];
      }
    }
    for (const sum of sums) sum.forEach((value, at) => (sum[at] = value / this.#views.length));
    return sums;
  }

  async label(photos: readonly Photo[]): Promise<Labelled[]> {
    const { imageSize, classNames } = this.model;
    const all = await this.scores(photos);
    return photos.map(({ width, height }, i) => ({
      mask: maskFromLogits(all[i], imageSize, classNames.length, { width, height }),
      logits: this.#views.length === 1 ? all[i] : null,
    }));
  }

  destroy(): void {
    this.#programs.destroy();
  }

  async #see(photos: readonly Photo[], view: ResizedView): Promise<Float32Array[]> {
    const { classNames, normalization } = this.model;
    const { height, width, flipped } = view;
    const values = height * width * 3;
    const images = new Float32Array(this.photosAtOnce * values);
    photos.forEach((photo, i) => {
      const image = normalize(resizeBilinear(photo.pixels, photo, 3, view, 1 / 255), normalization);
      if (flipped) flipLines(image, width, 3);
      images.set(image, i * values);
    });
    const scores = await this.#programs.run(images, view, photos.length);
    if (flipped) for (const own of scores) flipLines(own, width, classNames.length);
    return scores;
  }
}

/** The views of a photo at sizes the network takes; of small ones some are the same. */
function resizedViews({ imageSize, encoder }: Model, tta: readonly Tta[]): ResizedView[] {
  const least = smallestSide(encoder);
  const views = viewsOf(tta).map(({ scale, flipped }) => {
    const side = (length: number): number =>
      scale === 1 ? length : Math.max(least, 32 * Math.round((scale * length) / 32));
    return { height: side(imageSize.height), width: side(imageSize.width), flipped };
  });
  return views.filter(
    (view, i) => i === views.findIndex((other) => sameSize(other, view) && other.flipped === view.flipped),
  );
}
