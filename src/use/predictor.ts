import { normalize } from "../data/normalize.ts";
import { sameSize, sizeText } from "../image-size.ts";
import { cutOut, fitPhoto, placementOf } from "../data/fit.ts";
import type { Resize } from "../data/resizes.ts";
import { resizeBilinear } from "../data/resize.ts";
import type { Size } from "../data/resize.ts";
import type { Photo } from "../data/photo.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { smallestSide } from "../layers/networks/image-size.ts";
import type { Precision } from "../config/index.ts";
import { maskFromLogits } from "../masks/mask-from-logits.ts";
import { coveringProblem, coveringScores } from "./covering.ts";
import type { Labelled, Labeller, Scored } from "./labeller.ts";
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

/** What the network says of a photo, `[height, width, classes]`, the grey around it cut off. */
interface Seen extends Size {
  readonly scores: Float32Array;
  /** Before that. */
  readonly raw: Float32Array | null;
}

/**
 * A trained network that sees photos as in training: resized to one size as the model's run resized them. Where the run took the middles
 * of photos (`short-side`), windows of that size slide over the whole of a photo that was scaled so, and where they overlap their
 * probabilities are averaged.
 */
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
    const { imageSize, resize } = this.model;
    this.view = `${HOW[resize]} ${sizeText(imageSize)}${views.length > 1 ? `, in ${views.length} views` : ""}`;
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
    const isSeenOnce = views.length === 1 && model.resize !== "short-side";
    const scores = isSeenOnce ? "logits" : "probabilities";
    return new Predictor(
      await NetworkPrograms.create(gpu, model, model.imageSize, { batchSize, precision, scores }),
      views,
    );
  }

  get bytes(): number {
    return this.#programs.bytes;
  }

  /**
   * What the network says of at most `photosAtOnce` photos of any size, each `[height, width, classes]` of the model's image size,
   * or of the part of it that a letterboxed photo takes up, or of a photo that was scaled to cover it: its logits, or the mean of its
   * probabilities where it is asked more than once. Photos are prepared as in training.
   *
   * @throws ModelError when the network gives something else than finite numbers.
   */
  async scores(photos: readonly Photo[]): Promise<Float32Array[]> {
    return (await this.#meanOfViews(photos)).map(({ scores }) => scores);
  }

  problemOf(photo: Size): string | null {
    const { classNames, resize } = this.model;
    if (resize !== "short-side") return null;
    const problems = this.#views.map((view) => coveringProblem(photo, view, classNames.length));
    return problems.find((problem) => problem !== null) ?? null;
  }

  async label(photos: readonly Photo[]): Promise<Labelled[]> {
    const classes = this.model.classNames.length;
    const scored = await this.score(photos);
    return scored.map(({ scores, size, logits }, i) => ({
      mask: maskFromLogits(scores, size, classes, photos[i]),
      logits,
    }));
  }

  async score(photos: readonly Photo[]): Promise<Scored[]> {
    const all = await this.#meanOfViews(photos);
    return all.map(({ height, width, scores, raw }) => ({ scores, size: { height, width }, logits: raw }));
  }

  destroy(): void {
    this.#programs.destroy();
  }

  async #meanOfViews(photos: readonly Photo[]): Promise<Seen[]> {
    const [first, ...others] = this.#views;
    const all = await this.#see(photos, first);
    if (others.length === 0) return all;
    const classes = this.model.classNames.length;
    for (const view of others) {
      for (const [i, seen] of (await this.#see(photos, view)).entries()) {
        const sum = all[i].scores;
        const resized = sameSize(seen, all[i])
          ? seen.scores
          : resizeBilinear(seen.scores, seen, classes, all[i]);
        for (let at = 0; at < sum.length; at++) sum[at] += resized[at];
      }
    }
    for (const { scores } of all) scores.forEach((value, at) => (scores[at] = value / this.#views.length));
    return all.map((seen) => ({ ...seen, raw: null }));
  }

  async #see(photos: readonly Photo[], view: ResizedView): Promise<Seen[]> {
    const { classNames, normalization, resize } = this.model;
    if (resize === "short-side") {
      const all: Seen[] = [];
      const covering = {
        ...{ size: view, classes: classNames.length, normalization, batchSize: this.photosAtOnce },
        run: (images: readonly Float32Array[]) => this.#run(images, view),
      };
      for (const photo of photos) all.push({ ...(await coveringScores(photo, covering)), raw: null });
      return all;
    }
    const images = photos.map((photo) => normalize(fitPhoto(photo, 3, view, resize), normalization));
    const raws = await this.#run(images, view);
    return photos.map((photo, i) => {
      if (resize === "stretch") return { ...sizeOfView(view), scores: raws[i], raw: raws[i] };
      const placement = placementOf(photo, view, resize);
      const scores = cutOut(raws[i], classNames.length, placement, view);
      return { ...placement.scaled, scores, raw: raws[i] };
    });
  }

  /** The network's scores of at most `photosAtOnce` images of a view's size. */
  async #run(images: readonly Float32Array[], view: ResizedView): Promise<Float32Array[]> {
    const { height, width, flipped } = view;
    const values = height * width * 3;
    const batch = new Float32Array(this.photosAtOnce * values);
    images.forEach((image, i) => {
      const own = batch.subarray(i * values, (i + 1) * values);
      own.set(image);
      if (flipped) flipLines(own, width, 3);
    });
    const scores = await this.#programs.run(batch, view, images.length);
    if (flipped) for (const own of scores) flipLines(own, width, this.model.classNames.length);
    return scores;
  }
}

const HOW: Readonly<Record<Resize, string>> = {
  stretch: "resized to",
  letterbox: "letterboxed to",
  "short-side": "scaled to cover, in windows of",
};

const sizeOfView = ({ height, width }: Size): Size => ({ height, width });

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
