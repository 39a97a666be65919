import { cast, compile, Graph, Variables } from "../../index.ts";
import type { Feeds, Gpu, Program, Tensor } from "../../index.ts";
import { encoderNamed, isDecoderGroup, skipsOf, unetDecoder, unetEncoder } from "../../networks.ts";
import type { Encoder, Skips } from "../../networks.ts";
import { softmax } from "../../nn.ts";
import type { Precision } from "../../config/precision.ts";
import { elapsed } from "./elapsed.ts";
import type { ModelDescription } from "./model-description.ts";
import type { PagePhoto } from "./photo.ts";
import type { WindowsUnderWay } from "./view-choice.ts";
import { WindowPrograms } from "./window-programs.ts";
import { cutOut, placementOf } from "../../data/fit.ts";
import type { Size } from "../../data/resize.ts";
import { smallestSide } from "../../layers/networks/image-size.ts";
import { coveringScores } from "../../use/covering.ts";
import { slide, windowsAtOnce } from "../../use/slide.ts";
import { prepareImage } from "./prepare-image.ts";
import { skipInput, fineTuningClassWeights, fineTuningStep } from "./fine-tuning-step.ts";
import type { NamedTensors } from "../../weights/tensors.ts";

/** What the network says of a photo, at the size at which it saw it. */
export interface Labelling extends Size {
  /**
   * `[height, width, classes]` of the photo, without what was around it: logits, or, where it was scaled to cover the network's size, the mean
   * probabilities of its windows
   */
  readonly scores: Float32Array;
  /** From handing the photo to the GPU to having the scores back. */
  readonly milliseconds: number;
}

/** As `npm run predict -- --window` has it. */
const OVERLAP = 0.25;
/** Of a photo's scores in the page's memory. */
const BAND_BYTES = 128 * 2 ** 20;

/** What a correction asks for of an image; see {@link fineTuningStep}. */
export interface FineTuningTargets {
  /** `[height, width]`: classes where somebody has painted, elsewhere the number of classes. */
  readonly painted: Uint32Array;
  /** Pixels that were painted, above 0. */
  readonly paintedPixels: number;
  /** `[height, width]`: what is to stay elsewhere; the number of classes where somebody has painted. */
  readonly kept: Uint32Array;
}

/** An image that the network sees, and what a correction asks for of it. */
export interface Lesson extends FineTuningTargets {
  /** `[height, width, 3]`, prepared as the model's photos were. */
  readonly image: Float32Array;
}

/**
 * The model on the browser's GPU. One photo at a time: it is labelled, and the decoder may be trained on what somebody has
 * corrected.
 */
export class Network {
  readonly model: ModelDescription;
  readonly #encoder: Encoder;
  readonly #gpu: Gpu;
  readonly #variables: Variables;
  #labels: Program;
  #compileMilliseconds: number;
  /** The decoder's weights as they came. */
  readonly #loaded: NamedTensors;
  #fineTuning: Promise<Program> | null = null;
  #precision: Precision;
  /** Made when a photo is first seen in windows. */
  #windows: WindowPrograms | null = null;
  /** What the encoder, which is not trained, makes of the images of lessons, on the host. */
  #skips = new WeakMap<Float32Array, Promise<Feeds>>();

  private constructor(
    gpu: Gpu,
    model: ModelDescription,
    variables: Variables,
    { program, milliseconds, precision }: CompiledLabels,
    loaded: NamedTensors,
  ) {
    this.#precision = precision;
    this.#gpu = gpu;
    this.model = model;
    this.#encoder = encoderNamed(model.encoder);
    this.#variables = variables;
    this.#labels = program;
    this.#compileMilliseconds = milliseconds;
    this.#loaded = loaded;
  }

  /** Milliseconds that compiling what labels photos has taken. */
  get compileMilliseconds(): number {
    return this.#compileMilliseconds;
  }

  /**
   * Compiles the U-Net and fills it.
   *
   * @param tensors all weights of the network, by Keras's names.
   * @param precision what activations are stored in while photos are labelled.
   * @throws GpuError when it does not fit into memory or a shader does not compile.
   */
  static async create(
    gpu: Gpu,
    model: ModelDescription,
    tensors: NamedTensors,
    precision: Precision,
  ): Promise<Network> {
    const variables = new Variables(gpu, { values: tensors as Map<string, never> });
    const labels = await compileLabels(gpu, model, variables, precision);
    const decoders = variables.shapes((_, group) => isDecoderGroup(group));
    const loaded: NamedTensors = new Map([...tensors].filter(([name]) => decoders.has(name)));
    return new Network(gpu, model, variables, labels, loaded);
  }

  /**
   * Stores activations so from the next photo on; what was learned stays. Training is in f32 whatever is chosen.
   *
   * @throws GpuError as {@link create} does.
   */
  async setPrecision(precision: Precision): Promise<void> {
    this.#labels.destroy();
    this.#windows?.destroy();
    this.#windows = null;
    this.#skips = new WeakMap();
    const { program, milliseconds } = await compileLabels(this.#gpu, this.model, this.#variables, precision);
    this.#labels = program;
    this.#compileMilliseconds = milliseconds;
    this.#precision = precision;
  }

  /**
   * The likeliest class of each pixel of a photo, `[height, width]`, seen at its own size in windows of the size that the model was
   * trained at (see `slide`); what is learned does not come from them.
   *
   * @throws GpuError when it does not fit into memory or the device failed; the signal's reason.
   */
  labelInWindows(photo: PagePhoto, under: WindowsUnderWay): Promise<Uint8Array<ArrayBuffer>> {
    const { imageSize: window, classNames, normalization } = this.model;
    const [classes, precision] = [classNames.length, this.#precision];
    this.#windows ??= new WindowPrograms(this.#gpu, this.#variables, this.model, {
      ...{ batchSize: windowsAtOnce(window, classes), precision },
    });
    return slide({ ...photo, channels: 4 }, this.#windows, {
      ...{ classes, normalization, window, smallest: smallestSide(this.#encoder) },
      ...{ overlap: OVERLAP, bandBytes: BAND_BYTES, ...under },
    });
  }

  /**
   * What the network says of a photo that it sees as those of its training, and whole: where these were cut (`short-side`), in windows
   * (see `coveringScores`).
   *
   * @throws GpuError when the device failed.
   */
  async label(photo: PagePhoto): Promise<Labelling> {
    const { imageSize, resize, classNames, normalization } = this.model;
    const classes = classNames.length;
    let milliseconds = 0;
    const run = async (image: Float32Array): Promise<Float32Array> => {
      const since = elapsed();
      const { scores } = await this.#labels.run({ image }, ["scores"]);
      milliseconds += since();
      return scores as Float32Array;
    };
    if (resize === "short-side") {
      const seen = await coveringScores(
        { ...photo, channels: 4 },
        {
          ...{ size: imageSize, classes, normalization, batchSize: 1 },
          run: async ([image]) => [await run(image)],
        },
      );
      return { ...seen, milliseconds };
    }
    const placement = placementOf(photo, imageSize, resize);
    const scores = await run(prepareImage(photo, this.model, placement));
    const inside = cutOut(scores, classes, placement, imageSize);
    return { ...placement.scaled, scores: inside, milliseconds };
  }

  /**
   * One step of training; the loss is that before the step.
   *
   * @throws GpuError when the device failed.
   */
  async fineTune({ image, painted, paintedPixels, kept }: Lesson, learningRate: number): Promise<number> {
    const program = await this.prepareFineTuning();
    const known = this.#skips.get(image) ?? this.#skipsOf(image);
    this.#skips.set(image, known);
    const skips = await known;
    const { loss } = await program.run({
      ...skips,
      painted,
      kept,
      painted_factor: Float32Array.of(painted.length / paintedPixels),
      class_weights: fineTuningClassWeights(this.model.classNames.length),
      learning_rate: Float32Array.of(learningRate),
    });
    return loss[0];
  }

  /** Compiles the step of training, the first time it is called. */
  prepareFineTuning(): Promise<Program> {
    const { imageSize, classNames, decoder } = this.model;
    return (this.#fineTuning ??= compile(this.#gpu, {
      ...fineTuningStep({ imageSize, classes: classNames.length, encoder: this.#encoder, decoder }),
      variables: this.#variables,
    }));
  }

  /** Makes the network what it was when it was loaded. */
  reset(): void {
    for (const [name, { data }] of this.#loaded) this.#variables.write(name, data as Float32Array);
    for (const [name, shape] of this.#variables.shapes((_, group) => group === "optimizer")) {
      this.#variables.write(name, new Float32Array(shape.reduce((product, extent) => product * extent, 1)));
    }
  }

  /** Frees what it holds on the GPU. */
  destroy(): void {
    this.#labels.destroy();
    this.#windows?.destroy();
    void this.#fineTuning?.then((program) => program.destroy());
    this.#variables.destroy();
  }

  #skipsOf(image: Float32Array): Promise<Feeds> {
    const names = skipsOf(this.#encoder).map(({ name }) => skipInput(name));
    return this.#labels.run({ image }, names);
  }
}

/** What labels photos, and how long it took to compile. */
interface CompiledLabels {
  readonly program: Program;
  readonly milliseconds: number;
  readonly precision: Precision;
}

async function compileLabels(
  gpu: Gpu,
  { imageSize, resize, classNames, decoder, encoder: name }: ModelDescription,
  variables: Variables,
  precision: Precision,
): Promise<CompiledLabels> {
  const since = elapsed();
  const encoder = encoderNamed(name);
  const image = new Graph().input("image", [1, imageSize.height, imageSize.width, 3]);
  // `unet` in its two halves: a correction trains the second one alone, on what the first has made of the photo.
  const skips = unetEncoder(cast(image, precision), { training: false, trainableEncoder: false, encoder });
  const logits = unetDecoder(skips, { classes: classNames.length, training: false, encoder, decoder });
  const scores = resize === "short-side" ? softmax(logits) : logits;
  const outputs = { scores, ...named(skips) };
  const program = await compile(gpu, { outputs, variables });
  return { program, milliseconds: since(), precision };
}

const named = (skips: Skips): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(skips).map(([name, skip]) => [skipInput(name), skip]));
