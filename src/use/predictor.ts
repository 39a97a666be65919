import { normalize } from "../data/normalize.ts";
import { resizeBilinear } from "../data/resize.ts";
import type { Photo } from "../data/photo.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Graph } from "../graph/graph.ts";
import { compile } from "../graph/program.ts";
import type { Program } from "../graph/program.ts";
import { Variables } from "../graph/variables.ts";
import { cast } from "../graph/ops/cast.ts";
import { unet } from "../layers/unet.ts";
import { restoreWeights } from "../train/checkpoint.ts";
import { notFinite } from "./model.ts";
import type { Model } from "./model.ts";
import type { Precision } from "../config/index.ts";

export interface PredictorOptions {
  /** Photos that are labelled at once. */
  readonly batchSize: number;
  /** What activations are stored in, whatever the network was trained in; f32 by default. */
  readonly precision?: Precision | undefined;
}

/** A trained network that is ready to label photos. */
export class Predictor {
  readonly model: Model;
  /** Photos that are labelled at once. */
  readonly batchSize: number;
  readonly precision: Precision;
  readonly #program: Program;
  readonly #variables: Variables;

  private constructor(
    model: Model,
    { batchSize, precision = "f32" }: PredictorOptions,
    program: Program,
    variables: Variables,
  ) {
    this.model = model;
    this.batchSize = batchSize;
    this.precision = precision;
    this.#program = program;
    this.#variables = variables;
  }

  /**
   * Rebuilds the network on `gpu` and fills it.
   *
   * @throws WeightsError naming the tensor of the model's file that is missing or does not fit; GpuError when it does not fit
   *   into memory or the adapter has no numbers of this precision.
   */
  static async create(gpu: Gpu, model: Model, options: PredictorOptions): Promise<Predictor> {
    const { batchSize, precision = "f32" } = options;
    const { imageSize, classNames, encoder, decoder, file } = model;
    const graph = new Graph();
    const image = graph.input("image", [batchSize, imageSize, imageSize, 3]);
    const network = {
      classes: classNames.length,
      training: false,
      trainableEncoder: false,
      encoder,
      decoder,
    };
    const variables = new Variables(gpu);
    try {
      const program = await compile(gpu, {
        outputs: { logits: unet(cast(image, precision), network) },
        variables,
      });
      try {
        await restoreWeights(variables, file);
        return new Predictor(model, options, program, variables);
      } catch (error) {
        program.destroy();
        throw error;
      }
    } catch (error) {
      variables.destroy();
      throw error;
    }
  }

  /** Bytes that it holds on the GPU. */
  get bytes(): number {
    return this.#program.summary.peakBytes;
  }

  /**
   * The logits of at most `batchSize` photos of any size, each `[imageSize, imageSize, classes]`. Photos are prepared as
   * in training: resized bilinearly to a square without regard to their proportions, divided by 255, normalized.
   *
   * @throws ModelError when the network gives something else than finite numbers.
   */
  async logits(photos: readonly Photo[]): Promise<Float32Array[]> {
    const { imageSize, classNames, normalization } = this.model;
    const size = { width: imageSize, height: imageSize };
    const pixels = imageSize ** 2;
    const image = new Float32Array(this.batchSize * pixels * 3);
    photos.forEach((photo, i) => {
      const resized = resizeBilinear(photo.pixels, photo, 3, size, 1 / 255);
      image.set(normalize(resized, normalization), i * pixels * 3);
    });
    const { logits } = await this.#program.run({ image });
    const values = pixels * classNames.length;
    return photos.map((_, i) => {
      const own = (logits as Float32Array).slice(i * values, (i + 1) * values);
      if (own.every(Number.isFinite)) return own;
      throw notFinite(this.model, "logits", this.precision);
    });
  }

  destroy(): void {
    this.#program.destroy();
    this.#variables.destroy();
  }
}
