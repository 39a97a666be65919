import { cast, compile, Graph } from "../../index.ts";
import type { Gpu, Program, Variables } from "../../index.ts";
import { encoderNamed, unet } from "../../networks.ts";
import { softmax } from "../../nn.ts";
import type { Precision } from "../../config/precision.ts";
import type { Size } from "../../data/resize.ts";
import type { WindowNetwork } from "../../use/slide.ts";
import type { ModelDescription } from "./model-description.ts";

/** The model over the page's variables, compiled for each size of windows that a photo wants. */
export class WindowPrograms implements WindowNetwork {
  readonly batchSize: number;
  readonly #gpu: Gpu;
  readonly #variables: Variables;
  readonly #model: ModelDescription;
  readonly #precision: Precision;
  readonly #programs = new Map<string, Promise<Program>>();

  constructor(
    gpu: Gpu,
    variables: Variables,
    model: ModelDescription,
    options: { readonly batchSize: number; readonly precision: Precision },
  ) {
    this.#gpu = gpu;
    this.#variables = variables;
    this.#model = model;
    this.batchSize = options.batchSize;
    this.#precision = options.precision;
  }

  keep(sizes: readonly Size[]): void {
    const kept = new Set(sizes.map(keyOf));
    for (const [key, program] of this.#programs) {
      if (kept.has(key)) continue;
      this.#programs.delete(key);
      void program.then((compiled) => compiled.destroy());
    }
  }

  /** @throws GpuError when it does not fit into memory or a shader does not compile. */
  async run(image: Float32Array, size: Size, count: number): Promise<Float32Array[]> {
    const key = keyOf(size);
    const program = this.#programs.get(key) ?? this.#compile(size);
    this.#programs.set(key, program);
    const { scores } = await (await program).run({ image });
    const values = scores.length / this.batchSize;
    return Array.from({ length: count }, (_, i) =>
      (scores as Float32Array).subarray(i * values, (i + 1) * values),
    );
  }

  destroy(): void {
    this.keep([]);
  }

  #compile({ height, width }: Size): Promise<Program> {
    const { classNames, decoder, encoder } = this.#model;
    const image = new Graph().input("image", [this.batchSize, height, width, 3]);
    const logits = unet(cast(image, this.#precision), {
      ...{ classes: classNames.length, training: false, trainableEncoder: false },
      ...{ encoder: encoderNamed(encoder), decoder },
    });
    return compile(this.#gpu, { outputs: { scores: softmax(logits) }, variables: this.#variables });
  }
}

const keyOf = ({ width, height }: Size): string => `${width}×${height}`;
