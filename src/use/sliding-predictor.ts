import { normalize } from "../data/normalize.ts";
import type { Photo } from "../data/photo.ts";
import { resizeBilinear } from "../data/resize.ts";
import type { Size } from "../data/resize.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { smallestSide } from "../layers/networks/image-size.ts";
import type { Precision } from "../config/index.ts";
import type { Labelled, Labeller } from "./labeller.ts";
import type { Model } from "./model.ts";
import { NetworkPrograms } from "./network-programs.ts";
import { ScoreBand } from "./score-band.ts";
import { flipLines, viewsOf } from "./views.ts";
import type { Tta, View } from "./views.ts";
import { gaussianWeights, windowStarts } from "./windows.ts";

export interface SlidingOptions {
  /** Windows at once; by default as many as have 64 MiB of scores, 8 at the most. */
  readonly batchSize?: number | undefined;
  readonly precision: Precision;
  /** The side of the square windows in pixels, a size that the network takes; or `"whole"`. */
  readonly window: number | "whole";
  readonly overlap: number;
  readonly tta: readonly Tta[];
  /** Bytes of scores that are held of a photo, 512 MiB by default; a wider one is labelled in strips. */
  readonly bandBytes?: number;
}

/** Bytes of scores that come back from the GPU at once, and windows at most. */
const BATCH_BYTES = 64 * 2 ** 20;
const MOST_WINDOWS = 8;
const BAND_BYTES = 512 * 2 ** 20;

/** Windows beside each other. */
interface Row {
  readonly view: View;
  readonly top: number;
  readonly lefts: readonly number[];
  /** Of a window, in pixels of the photo. */
  readonly region: Size;
  /** Of a window as the network sees it. */
  readonly image: Size;
}

/**
 * A trained network that sees photos at their own resolution, in windows that overlap (see windows.ts) or whole. Where windows overlap their
 * probabilities are averaged, each by its weights. Along a side that is shorter than a window, windows are as long as the photo. What reaches past a photo,
 * up to a multiple of 32, is filled with its outermost pixels.
 *
 * Memory is bounded: besides the photo and its mask, the scores of as many rows as a window has, 512 MiB of them at most.
 */
export class SlidingPredictor implements Labeller {
  readonly model: Model;
  readonly precision: Precision;
  /** The windows of one photo fill the batches. */
  readonly photosAtOnce = 1;
  readonly view: string;
  readonly #programs: NetworkPrograms;
  readonly #options: SlidingOptions;

  private constructor(programs: NetworkPrograms, options: SlidingOptions) {
    const { window, overlap, tta } = options;
    this.model = programs.model;
    this.precision = programs.precision;
    const views = viewsOf(tta).length;
    const how =
      window === "whole" ? "whole" : `in windows of ${window}×${window} that overlap by ${100 * overlap} %`;
    this.view = `at its own size, ${how}${views > 1 ? `, in ${views} views` : ""}`;
    this.#programs = programs;
    this.#options = options;
  }

  /**
   * Rebuilds the network on `gpu` and fills it.
   *
   * @throws WeightsError naming the tensor of the model's file that is missing or does not fit; ModelError when the adapter cannot
   *   hold windows of this size, with one that it can; GpuError when it has no numbers of this precision.
   */
  static async create(gpu: Gpu, model: Model, options: SlidingOptions): Promise<SlidingPredictor> {
    const { precision, window } = options;
    const side = window === "whole" ? smallestSide(model.encoder) : window;
    const bytes = 4 * side * side * model.classNames.length;
    const suiting = Math.max(1, Math.min(MOST_WINDOWS, Math.floor(BATCH_BYTES / bytes)));
    const batchSize = window === "whole" ? 1 : (options.batchSize ?? suiting);
    const size = { width: side, height: side };
    const programs = await NetworkPrograms.create(gpu, model, size, {
      ...{ batchSize, precision },
      scores: "probabilities",
    });
    return new SlidingPredictor(programs, options);
  }

  get bytes(): number {
    return this.#programs.bytes;
  }

  async label(photos: readonly Photo[]): Promise<Labelled[]> {
    const labelled: Labelled[] = [];
    for (const photo of photos) labelled.push({ mask: await this.#mask(photo), logits: null });
    return labelled;
  }

  destroy(): void {
    this.#programs.destroy();
  }

  async #mask(photo: Photo): Promise<Uint8Array<ArrayBuffer>> {
    const rows = this.#rowsOf(photo);
    this.#programs.keep(rows.map(({ image }) => image));
    const mask = new Uint8Array(photo.width * photo.height);
    const classes = this.model.classNames.length;
    const tallest = Math.min(photo.height, Math.max(...rows.map(({ region }) => region.height)));
    const widest = Math.max(...rows.map(({ region }) => region.width));
    const { window, bandBytes = BAND_BYTES } = this.#options;
    const fitting = Math.floor(bandBytes / (4 * tallest * classes));
    const most = window === "whole" ? photo.width : Math.max(widest, fitting);
    const strips = Math.ceil(photo.width / most);
    for (let strip = 0; strip < strips; strip++) {
      const [left, right] = [strip, strip + 1].map((i) => Math.round((i * photo.width) / strips));
      const shape = { photoWidth: photo.width, left, width: right - left, rows: tallest, classes };
      const band = new ScoreBand(mask, shape);
      for (const row of rows) {
        band.finish(row.top);
        await this.#add(band, photo, {
          ...row,
          lefts: row.lefts.filter((at) => at < right && at + row.region.width > left),
        });
      }
      band.finish(photo.height);
    }
    return mask;
  }

  /** All windows of a photo, from top to bottom. */
  #rowsOf(photo: Size): Row[] {
    const { window, overlap, tta } = this.#options;
    const rows = viewsOf(tta).flatMap((view): Row[] => {
      const around = this.#around(photo, view);
      const most = window === "whole" ? Infinity : window;
      const image = { width: Math.min(around.width, most), height: Math.min(around.height, most) };
      const region = {
        width: Math.round(image.width / view.scale),
        height: Math.round(image.height / view.scale),
      };
      const lefts = windowStarts(photo.width, region.width, overlap);
      return windowStarts(photo.height, region.height, overlap).map((top) => ({
        ...{ view, top, lefts, region, image },
      }));
    });
    return rows.sort((a, b) => a.top - b.top);
  }

  /** The size of images that hold a photo whole. */
  #around({ width, height }: Size, { scale }: View): Size {
    const least = smallestSide(this.model.encoder);
    const side = (length: number): number => Math.max(least, 32 * Math.ceil((scale * length) / 32));
    return { width: side(width), height: side(height) };
  }

  async #add(band: ScoreBand, photo: Photo, { view, top, lefts, region, image }: Row): Promise<void> {
    const { batchSize } = this.#programs;
    const { classNames, normalization } = this.model;
    const classes = classNames.length;
    const [rowWeights, columnWeights] = [gaussianWeights(region.height), gaussianWeights(region.width)];
    const values = image.width * image.height * 3;
    for (let first = 0; first < lefts.length; first += batchSize) {
      const own = lefts.slice(first, first + batchSize);
      const images = new Float32Array(batchSize * values);
      own.forEach((left, i) => {
        const pixels = crop(photo, { left, top, ...region });
        const seen = normalize(resizeBilinear(pixels, region, 3, image, 1 / 255), normalization);
        if (view.flipped) flipLines(seen, image.width, 3);
        images.set(seen, i * values);
      });
      const all = await this.#programs.run(images, image, own.length);
      own.forEach((left, i) => {
        if (view.flipped) flipLines(all[i], image.width, classes);
        const isOwnSize = image.width === region.width && image.height === region.height;
        const scores = isOwnSize ? all[i] : resizeBilinear(all[i], image, classes, region);
        band.add(scores, { left, top }, rowWeights, columnWeights);
      });
    }
  }
}

/** A part of a photo, `[height, width, 3]`; past its edges its outermost pixels go on. */
function crop(photo: Photo, { left, top, width, height }: Size & { left: number; top: number }): Uint8Array {
  const part = new Uint8Array(width * height * 3);
  const within = Math.min(width, photo.width - left);
  for (let y = 0; y < height; y++) {
    const line = Math.min(top + y, photo.height - 1) * photo.width;
    const [from, to] = [3 * (line + left), 3 * y * width];
    part.set(photo.pixels.subarray(from, from + 3 * within), to);
    for (let x = within; x < width; x++) part.copyWithin(to + 3 * x, to + 3 * (within - 1), to + 3 * within);
  }
  return part;
}
