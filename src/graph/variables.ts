import { readBuffers } from "../gpu/readback.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "./graph.ts";
import { seededRandom } from "./initializers.ts";
import { bytesOf, sameShape, shapeText, sizeOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** Numbers of a variable in row-major order. */
export interface VariableValues {
  readonly shape: Shape;
  readonly data: Float32Array;
}

interface Stored {
  readonly shape: Shape;
  readonly buffer: GPUBuffer;
}

/**
 * The variables' numbers on the GPU, by name. Programs compiled with the same `Variables` share them: what the
 * training program learns, the evaluation program uses.
 */
export class Variables {
  readonly #gpu: Gpu;
  readonly #seed: number;
  readonly #stored = new Map<string, Stored>();
  readonly #given: Map<string, VariableValues>;

  /**
   * @param options.seed decides the first values together with each variable's name, whatever the order of creation.
   * @param options.values first values to be taken instead, by name: those of a checkpoint, an optimizer's slots included,
   *   before the program that has them is compiled.
   */
  constructor(
    gpu: Gpu,
    { seed = 0, values = [] }: { seed?: number; values?: Iterable<readonly [string, VariableValues]> } = {},
  ) {
    this.#gpu = gpu;
    this.#seed = seed;
    this.#given = new Map(values);
  }

  /** The buffer of `tensor`'s variable, made and initialised when it is not there yet. */
  buffer(tensor: Tensor): GPUBuffer {
    const { name, shape, variable } = tensor;
    if (!variable) throw new Error(`"${name}" is not a variable.`);
    const known = this.#stored.get(name);
    if (known) {
      if (!sameShape(known.shape, shape)) {
        throw new Error(
          `The variable "${name}" is ${shapeText(known.shape)} and the graph has ${shapeText(shape)}.`,
        );
      }
      return known.buffer;
    }
    const given = this.#given.get(name);
    if (given && !sameShape(given.shape, shape)) {
      throw new Error(
        `The variable "${name}" was given as ${shapeText(given.shape)} and the graph has ${shapeText(shape)}.`,
      );
    }
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = this.#gpu.createBuffer(name, bytesOf(tensor), STORAGE | COPY_SRC | COPY_DST);
    this.#stored.set(name, { shape, buffer });
    const values = given?.data ?? variable.initializer(shape, seededRandom(this.#seed, name));
    this.#given.delete(name);
    this.#gpu.device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
    return buffer;
  }

  /** The names and shapes of all variables there are. */
  shapes(): Map<string, Shape> {
    return new Map([...this.#stored].map(([name, { shape }]) => [name, shape]));
  }

  /** Replaces a variable's numbers; `values` in row-major order. */
  write(name: string, values: Float32Array): void {
    const { shape, buffer } = this.#get(name);
    if (values.length !== sizeOf(shape)) {
      throw new Error(`The variable "${name}" ${shapeText(shape)} cannot take ${values.length} values.`);
    }
    this.#gpu.device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  }

  /** A variable's numbers in row-major order. */
  async read(name: string): Promise<Float32Array> {
    this.#get(name);
    return (await this.readAll((other) => other === name)).get(name)!.data;
  }

  /** The numbers of all variables that `which` picks, as they are after what has been submitted so far. */
  async readAll(which: (name: string) => boolean = () => true): Promise<Map<string, VariableValues>> {
    const chosen = [...this.#stored].filter(([name]) => which(name));
    const ranges = chosen.map(([, { shape, buffer }]) => ({ buffer, offset: 0, bytes: 4 * sizeOf(shape) }));
    const bytes = await readBuffers(this.#gpu, ranges);
    return new Map(chosen.map(([name, { shape }], i) => [name, { shape, data: new Float32Array(bytes[i]) }]));
  }

  /** Frees the variables that `which` picks, an optimizer's slots for example; the next program makes them anew. */
  release(which: (name: string) => boolean): void {
    for (const [name, { buffer }] of this.#stored) {
      if (!which(name)) continue;
      this.#gpu.destroyBuffer(buffer);
      this.#stored.delete(name);
    }
  }

  destroy(): void {
    this.release(() => true);
  }

  #get(name: string): Stored {
    const stored = this.#stored.get(name);
    if (!stored) throw new Error(`There is no variable "${name}".`);
    return stored;
  }
}
