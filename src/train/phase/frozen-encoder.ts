import type { Batch } from "../../data/batch.ts";
import { toSize } from "../../image-size.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { compile } from "../../graph/compile.ts";
import type { Program } from "../../graph/program.ts";
import type { Variables } from "../../graph/variables.ts";
import type { KernelTarget } from "../../kernels/kernel.ts";
import { kernelTarget } from "../../graph/kernel-target.ts";
import { microBatchSize } from "./accumulation.ts";
import { FeatureCache } from "./feature-cache.ts";
import { splitFeatures } from "./features.ts";
import type { Features } from "./features.ts";
import { encoder } from "./programs.ts";
import type { StepSpec } from "./programs.ts";

/** Photos that go through the encoder at once, for a GPU to have enough to do. */
const AT_ONCE = 8;
/** Pixels of the photo that fills the tiles of every layer by itself on a CPU, which gains nothing by a second one. */
const FILLING = 64 ** 2;

/**
 * What the program of a {@link FrozenEncoder} is made for. It takes few photos, for a batch may lack a single one, and
 * whatever fills the program's own batch up is wasted.
 */
export function encoderSpec(
  spec: StepSpec,
  { family }: Pick<KernelTarget, "family">,
): Pick<StepSpec, "batchSize" | "imageSize" | "encoder" | "precision"> {
  const { imageSize, encoder, precision } = spec;
  const { height, width } = toSize(imageSize);
  const enough = family === "workgroup" ? AT_ONCE : Math.ceil(FILLING / (height * width));
  return { batchSize: Math.min(enough, microBatchSize(spec)), imageSize, encoder, precision };
}

/**
 * The encoder while nothing changes it: each distinct photo goes through it once, as far as memory holds what comes out.
 * A photo's features do not depend on the photos beside it, so they are the same bits whichever batch it is encoded in.
 */
export class FrozenEncoder {
  readonly #program: Program;
  readonly #cache: FeatureCache;
  readonly #spec: ReturnType<typeof encoderSpec>;

  private constructor(program: Program, cache: FeatureCache, spec: ReturnType<typeof encoderSpec>) {
    this.#program = program;
    this.#cache = cache;
    this.#spec = spec;
  }

  /**
   * @param variables with the encoder's weights; they must not change as long as this is used.
   * @param budget bytes of features to keep, `featureBudget` by default.
   * @throws GpuError when it does not fit into memory or a shader does not compile.
   */
  static async create(
    gpu: Gpu,
    variables: Variables,
    spec: StepSpec,
    budget?: number,
  ): Promise<FrozenEncoder> {
    const own = encoderSpec(spec, kernelTarget(gpu));
    const program = await compile(gpu, { ...encoder(own), variables, tileFor: spec.tileFor });
    return new FrozenEncoder(program, new FeatureCache(spec, budget), own);
  }

  /**
   * The features of each photo of a batch. Not to be called again before they are there.
   *
   * @param identities one a photo: what is equal has equal pixels; null where that is not known.
   */
  async features(
    { images }: Pick<Batch, "images">,
    identities: readonly (string | null)[],
  ): Promise<Features[]> {
    const found = identities.map((identity) => (identity === null ? undefined : this.#cache.get(identity)));
    // The places of the photos to encode; of equal ones the first.
    const missing = [...identities.keys()].filter(
      (place) =>
        !found[place] && (identities[place] === null || identities.indexOf(identities[place]) === place),
    );
    for (let first = 0; first < missing.length; first += this.#spec.batchSize) {
      const places = missing.slice(first, first + this.#spec.batchSize);
      const encoded = await this.#encode(images, places);
      for (const [i, place] of places.entries()) {
        found[place] = encoded[i];
        const identity = identities[place];
        if (identity !== null) this.#cache.keep(identity, encoded[i]);
      }
    }
    return found.map((features, place) => features ?? found[identities.indexOf(identities[place])]!);
  }

  /** Encodes the photos at some places of a batch; the program's own batch is filled up with black ones. */
  async #encode(images: Float32Array, places: readonly number[]): Promise<Features[]> {
    const { height, width } = toSize(this.#spec.imageSize);
    const values = 3 * height * width;
    const image = new Float32Array(this.#spec.batchSize * values);
    for (const [i, place] of places.entries())
      image.set(images.subarray(place * values, (place + 1) * values), i * values);
    return splitFeatures(await this.#program.run({ image }), places.length, this.#spec);
  }

  destroy(): void {
    this.#program.destroy();
  }
}
