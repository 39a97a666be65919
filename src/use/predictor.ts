import { normalize } from "../data/normalize.ts";
import { resizeBilinear } from "../data/resize.ts";
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

/** How the network is shown a photo: as a square of this side. */
interface SquareView {
  readonly side: number;
  readonly flipped: boolean;
}

/** A trained network that sees photos as in training: resized to a square, without regard to their proportions. */
export class Predictor implements Labeller {
  readonly model: Model;
  readonly photosAtOnce: number;
  readonly precision: Precision;
  readonly view: string;
  readonly #programs: NetworkPrograms;
  readonly #views: readonly SquareView[];

  private constructor(programs: NetworkPrograms, views: readonly SquareView[]) {
    this.model = programs.model;
    this.photosAtOnce = programs.batchSize;
    this.precision = programs.precision;
    const { imageSize } = this.model;
    this.view = `resized to ${imageSize}×${imageSize}${views.length > 1 ? `, in ${views.length} views` : ""}`;
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
    const views = squareViews(model, tta);
    const scores = views.length === 1 ? "logits" : "probabilities";
    const size = squareOf(model.imageSize);
    return new Predictor(
      await NetworkPrograms.create(gpu, model, size, { batchSize, precision, scores }),
      views,
    );
  }

  get bytes(): number {
    return this.#programs.bytes;
  }

  /**
   * What the network says of at most `photosAtOnce` photos of any size, each `[imageSize, imageSize, classes]`: its logits,
   * or the mean of its probabilities where there are several views. Photos are prepared as in training: resized bilinearly to a
   * square, divided by 255, normalized.
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
        const [from, to] = [squareOf(view.side), squareOf(imageSize)];
        const resized =
          view.side === imageSize ? scores : resizeBilinear(scores, from, classNames.length, to);
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
      mask: maskFromLogits(all[i], squareOf(imageSize), classNames.length, { width, height }),
      logits: this.#views.length === 1 ? all[i] : null,
    }));
  }

  destroy(): void {
    this.#programs.destroy();
  }

  async #see(photos: readonly Photo[], { side, flipped }: SquareView): Promise<Float32Array[]> {
    const { classNames, normalization } = this.model;
    const size = squareOf(side);
    const values = side * side * 3;
    const images = new Float32Array(this.photosAtOnce * values);
    photos.forEach((photo, i) => {
      const image = normalize(resizeBilinear(photo.pixels, photo, 3, size, 1 / 255), normalization);
      if (flipped) flipLines(image, side, 3);
      images.set(image, i * values);
    });
    const scores = await this.#programs.run(images, size, photos.length);
    if (flipped) for (const own of scores) flipLines(own, side, classNames.length);
    return scores;
  }
}

const squareOf = (side: number): { width: number; height: number } => ({ width: side, height: side });

/** The views of a photo as squares the network takes; of small ones some are the same. */
function squareViews({ imageSize, encoder }: Model, tta: readonly Tta[]): SquareView[] {
  const views = viewsOf(tta).map(({ scale, flipped }) => ({
    side:
      scale === 1 ? imageSize : Math.max(smallestSide(encoder), 32 * Math.round((scale * imageSize) / 32)),
    flipped,
  }));
  return views.filter(
    (view, i) => i === views.findIndex(({ side, flipped }) => side === view.side && flipped === view.flipped),
  );
}
