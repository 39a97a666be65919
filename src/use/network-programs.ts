import { GpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Graph } from "../graph/graph.ts";
import { kernelTarget } from "../graph/kernel-target.ts";
import { cast } from "../graph/ops/cast.ts";
import { softmax } from "../graph/ops/softmax.ts";
import { plan } from "../graph/plan.ts";
import type { PlanOptions } from "../graph/plan.ts";
import { compile } from "../graph/compile.ts";
import type { Program } from "../graph/program.ts";
import { Variables } from "../graph/variables.ts";
import { sizeText } from "../image-size.ts";
import { smallestSide } from "../layers/networks/image-size.ts";
import { unet } from "../layers/unet.ts";
import { restoreWeights } from "../train/checkpoint.ts";
import type { Precision } from "../config/index.ts";
import type { Size } from "../data/resize.ts";
import { ModelError, notFinite } from "./model.ts";
import type { Model } from "./model.ts";

/** What the network gives for each pixel and class. */
export type Scores = "logits" | "probabilities";

/** A trained network on a GPU, compiled for each size of images that it is asked for, with the same weights. */
export class NetworkPrograms {
  readonly model: Model;
  readonly precision: Precision;
  /** Images at once. */
  readonly batchSize: number;
  readonly #gpu: Gpu;
  readonly #scores: Scores;
  readonly #variables: Variables;
  readonly #programs = new Map<string, Program>();

  private constructor(
    gpu: Gpu,
    model: Model,
    { batchSize, precision, scores }: { batchSize: number; precision: Precision; scores: Scores },
  ) {
    this.model = model;
    this.precision = precision;
    this.batchSize = batchSize;
    this.#gpu = gpu;
    this.#scores = scores;
    this.#variables = new Variables(gpu);
  }

  /**
   * Rebuilds the network on `gpu` for images of `size`, and fills it.
   *
   * @throws WeightsError naming the tensor of the model's file that is missing or does not fit; ModelError when the adapter cannot
   *   hold images of this size, with one that fits; GpuError when it has no numbers of this precision.
   */
  static async create(
    gpu: Gpu,
    model: Model,
    size: Size,
    options: { batchSize: number; precision: Precision; scores: Scores },
  ): Promise<NetworkPrograms> {
    const programs = new NetworkPrograms(gpu, model, options);
    try {
      await programs.#program(size);
      await restoreWeights(programs.#variables, model.file);
      return programs;
    } catch (error) {
      programs.destroy();
      throw error;
    }
  }

  /** Bytes that the network would hold on the GPU for images of a size, without making it; null where the adapter cannot hold them. */
  static planned(
    gpu: Gpu,
    model: Model,
    size: Size,
    options: { batchSize: number; precision: Precision; scores: Scores },
  ): number | null {
    return new NetworkPrograms(gpu, model, options).#planned(size);
  }

  /** Bytes that it holds on the GPU, weights counted once. */
  get bytes(): number {
    const all = [...this.#programs.values()].map(({ summary }) => summary);
    return all.reduce(
      (sum, { peakBytes, variableBytes }, i) => sum + peakBytes - (i === 0 ? 0 : variableBytes),
      0,
    );
  }

  /**
   * The scores of at most `batchSize` images of one size.
   *
   * @param images `[batchSize, height, width, 3]`, prepared as in training; only the first `count` of them are looked at.
   * @returns of each image `[height, width, classes]`
   * @throws ModelError when the network gives something else than finite numbers, or the adapter cannot hold images of this
   *   size; GpuError.
   */
  async run(images: Float32Array, size: Size, count: number): Promise<Float32Array[]> {
    const program = await this.#program(size);
    const { scores } = await program.run({ image: images });
    const values = size.width * size.height * this.model.classNames.length;
    return Array.from({ length: count }, (_, i) => {
      const own = (scores as Float32Array).subarray(i * values, (i + 1) * values);
      for (let at = 0; at < values; at++) {
        if (!Number.isFinite(own[at])) throw notFinite(this.model, this.#scores, this.precision);
      }
      return own;
    });
  }

  /** Frees what was compiled for images of other sizes than these. */
  keep(sizes: readonly Size[]): void {
    const kept = new Set(sizes.map(sizeText));
    for (const [key, program] of this.#programs) {
      if (kept.has(key)) continue;
      program.destroy();
      this.#programs.delete(key);
    }
  }

  destroy(): void {
    this.keep([]);
    this.#variables.destroy();
  }

  async #program(size: Size): Promise<Program> {
    const known = this.#programs.get(sizeText(size));
    if (known) return known;
    const program = await this.#compile(size);
    this.#programs.set(sizeText(size), program);
    return program;
  }

  async #compile(size: Size): Promise<Program> {
    try {
      return await compile(this.#gpu, { ...this.#goals(size), variables: this.#variables });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const outOfMemory = error instanceof GpuError && error.kind === "out-of-memory";
      // What is too large for a binding is an error of the plan.
      if (!outOfMemory && (error instanceof GpuError || this.#planned(size) !== null)) throw error;
      const fitting = this.#largestFitting(size, outOfMemory);
      // Its first sentence without the advice; names of tensors have points in them.
      const reason = message.replace(/(: use a |\.(\s|$)).*$/s, "");
      throw new ModelError(
        `Images of ${sizeText(size)} are too large for ${this.#gpu.adapterName} (${reason})` +
          (fitting === null ? "." : `: ${sizeText(fitting)} would fit.`),
      );
    }
  }

  /** The largest size of the same proportions that can be planned, with half of the memory at most where that was short. */
  #largestFitting(size: Size, memoryWasShort: boolean): Size | null {
    const most = memoryWasShort ? (this.#planned(size) ?? Infinity) / 2 : Infinity;
    const least = smallestSide(this.model.encoder);
    const longer = Math.max(size.width, size.height);
    let fitting: Size | null = null;
    let [low, high] = [0, Math.floor((longer - 1) / 32)];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const side = (length: number): number => Math.max(least, 32 * Math.floor((middle * length) / longer));
      const smaller = { width: side(size.width), height: side(size.height) };
      const bytes = this.#planned(smaller);
      if (bytes !== null && bytes <= most) [low, fitting] = [middle, smaller];
      else high = middle - 1;
    }
    return fitting;
  }

  /** Bytes that a program would hold; null where something exceeds the adapter's limits. */
  #planned(size: Size): number | null {
    try {
      return plan(this.#goals(size), kernelTarget(this.#gpu)).summary.peakBytes;
    } catch {
      return null;
    }
  }

  #goals({ width, height }: Size): PlanOptions {
    const { classNames, encoder, decoder } = this.model;
    const graph = new Graph();
    const image = cast(graph.input("image", [this.batchSize, height, width, 3]), this.precision);
    const network = {
      ...{ classes: classNames.length, encoder, decoder },
      ...{ training: false, trainableEncoder: false },
    };
    const logits = unet(image, network);
    return { outputs: { scores: this.#scores === "logits" ? logits : softmax(logits) } };
  }
}
