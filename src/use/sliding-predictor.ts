import type { Photo } from "../data/photo.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { sizeText, toSize } from "../image-size.ts";
import { smallestSide } from "../layers/networks/image-size.ts";
import type { Precision } from "../config/index.ts";
import type { Labelled, Labeller } from "./labeller.ts";
import type { Model } from "./model.ts";
import { NetworkPrograms } from "./network-programs.ts";
import { slide, windowsAtOnce } from "./slide.ts";
import type { SlideOptions } from "./slide.ts";
import { viewsOf } from "./views.ts";
import type { Tta } from "./views.ts";

export interface SlidingOptions extends Pick<SlideOptions, "window" | "overlap" | "bandBytes"> {
  /** Windows at once; as many as suit their size by default. */
  readonly batchSize?: number | undefined;
  readonly precision: Precision;
  readonly tta: readonly Tta[];
}

/** A trained network that sees photos at their own resolution, in windows that overlap or whole, in bounded memory; see `slide`. */
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
      window === "whole" ? "whole" : `in windows of ${sizeText(window)} that overlap by ${100 * overlap} %`;
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
    const size = toSize(window === "whole" ? smallestSide(model.encoder) : window);
    const suiting = windowsAtOnce(size, model.classNames.length);
    const batchSize = window === "whole" ? 1 : (options.batchSize ?? suiting);
    const programs = await NetworkPrograms.create(gpu, model, size, {
      ...{ batchSize, precision },
      scores: "probabilities",
    });
    return new SlidingPredictor(programs, options);
  }

  get bytes(): number {
    return this.#programs.bytes;
  }

  async label(photos: readonly Photo[], signal?: AbortSignal): Promise<Labelled[]> {
    const labelled: Labelled[] = [];
    const { classNames, encoder, normalization } = this.model;
    for (const photo of photos) {
      const mask = await slide(photo, this.#programs, {
        ...{ classes: classNames.length, smallest: smallestSide(encoder), normalization },
        ...this.#options,
        signal,
      });
      labelled.push({ mask, logits: null });
    }
    return labelled;
  }

  destroy(): void {
    this.#programs.destroy();
  }
}
