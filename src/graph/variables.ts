/// <reference lib="esnext.disposable" preserve="true" />
import type { Gpu } from "../gpu/gpu.ts";
import type { StagingRing } from "../gpu/readback.ts";
import { variableParts } from "./graph.ts";
import type { Tensor, VariablePart } from "./graph.ts";
import { seededRandom } from "./initializers.ts";
import { bytesOf, sameShape, shapeText, sizeOf } from "./shape.ts";
import type { Shape } from "./shape.ts";
import {
  checkSame,
  checkValues,
  exchangeNumbers,
  groupOf,
  readPlaces,
  recordPlaces,
  submit,
} from "./stored-variables.ts";
import type { Place, Stored, VariableValues } from "./stored-variables.ts";
import { partsWithin } from "./taps.ts";
import type { VariableRange } from "./taps.ts";

export type { VariableValues } from "./stored-variables.ts";

/** Picks variables by their names and groups; see `Variable.group`. */
export type VariableFilter = (name: string, group: string | null) => boolean;

/**
 * The variables' numbers on the GPU, by name; of a stacked variable, by the names of its parts. Programs compiled with the
 * same `Variables` share them: what the training program learns, the evaluation program uses.
 */
export class Variables implements Disposable {
  readonly #gpu: Gpu;
  readonly #seed: number;
  /** By the tensors' own names. */
  readonly #stored = new Map<string, Stored>();
  readonly #places = new Map<string, Place>();
  readonly #given: Map<string, VariableValues>;
  #destroyed = false;

  /**
   * @param options `seed`, 0 by default, decides the first values together with each variable's name, whatever the order of
   *   creation. `values` are first values to be taken instead, by name: those of a checkpoint, an optimizer's slots included,
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

  /**
   * Makes those of `variables` that are not there yet.
   *
   * @throws GpuError when there is no memory for them, or {@link buffer} throws; then none of them has been made, and values
   *   given for them are kept for the next time.
   */
  async allocate(variables: readonly Tensor[]): Promise<void> {
    const missing = variables.filter(({ name }) => !this.#stored.has(name));
    const given = new Map(this.#given);
    const megabytes = Math.ceil(missing.reduce((sum, tensor) => sum + bytesOf(tensor), 0) / 2 ** 20);
    try {
      await this.#gpu.scoped(`Making variables of ${megabytes} MiB on ${this.#gpu.adapterName}`, () => {
        for (const variable of variables) this.buffer(variable);
      });
    } catch (error) {
      const made = missing.filter((tensor) => this.#stored.get(tensor.name)?.tensor === tensor);
      const parts = new Set(made.flatMap(variableParts).map(({ name }) => name));
      for (const name of parts) {
        const values = given.get(name);
        if (values) this.#given.set(name, values);
      }
      this.release((name) => parts.has(name));
      throw error;
    }
  }

  /**
   * The buffer of `tensor`'s variable, made and initialised when it is not there yet.
   *
   * @throws Error when it is there, or values for it were given, with another shape or cut into other parts, when `tensor` is
   *   not a variable, or when the variables have been destroyed; GpuError when it is larger than the adapter allows.
   */
  buffer(tensor: Tensor): GPUBuffer {
    this.check();
    const parts = variableParts(tensor);
    const known = this.#stored.get(tensor.name);
    if (known) {
      checkSame(known.tensor, tensor);
      return known.buffer;
    }
    for (const { name, shape } of parts) {
      const place = this.#places.get(name);
      if (place) {
        const describe = (home: string): string => (home === name ? "alone" : `as a part of "${home}"`);
        throw new Error(
          `The variable "${name}" is kept ${describe(place.stored.tensor.name)} and the graph has it ` +
            `${describe(tensor.name)}: stack it the same way in every graph that shares the variables.`,
        );
      }
      const given = this.#given.get(name);
      if (given && !sameShape(given.shape, shape)) {
        throw new Error(
          `The variable "${name}" was given as ${shapeText(given.shape)} and the graph has ${shapeText(shape)}.`,
        );
      }
    }
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = this.#gpu.createBuffer(tensor.name, bytesOf(tensor), STORAGE | COPY_SRC | COPY_DST);
    const stored = { tensor, buffer };
    this.#stored.set(tensor.name, stored);
    const { begins, copyOf } = tensor.variable!;
    const copied: Place[] = [];
    parts.forEach((part, i) => {
      const begin = begins[i];
      const place = { stored, shape: part.shape, begin, end: begin + sizeOf(part.shape) };
      this.#places.set(part.name, place);
      if (copyOf && !this.#given.has(part.name)) copied.push(place);
      else this.#write(place, this.#firstValues(part));
    });
    if (copied.length > 0) {
      const from = this.buffer(copyOf!);
      submit(this.#gpu, (encoder) => {
        for (const { begin, end } of copied)
          encoder.copyBufferToBuffer(from, 4 * begin, buffer, 4 * begin, 4 * (end - begin));
      });
    }
    return buffer;
  }

  /** Names of the values given that no program has taken so far: behind the last one, those that no graph has. */
  get unclaimed(): string[] {
    return [...this.#given.keys()];
  }

  /**
   * The names and shapes of the variables there are that `which` picks; of all by default.
   *
   * @throws Error when they have been destroyed.
   */
  shapes(which: VariableFilter = () => true): Map<string, Shape> {
    this.check();
    const chosen = [...this.#places].filter(([name, { stored }]) => which(name, groupOf(stored)));
    return new Map(chosen.map(([name, { shape }]) => [name, shape]));
  }

  /**
   * Replaces a variable's numbers by `values`, in row-major order, for all that is submitted from now on.
   *
   * @throws Error when there is no such variable, it has another number of values, or they have been destroyed.
   */
  write(name: string, values: Float32Array): void {
    const place = this.#get(name);
    this.#write(place, checkValues(name, place.shape, values, "was written"));
  }

  /**
   * A variable's numbers in row-major order, as they are after what has been submitted so far.
   *
   * @throws Error when there is no such variable, or they have been destroyed; GpuError when the device failed.
   */
  async read(name: string): Promise<Float32Array> {
    this.#get(name);
    return (await this.readAll((other) => other === name)).get(name)!.data;
  }

  /**
   * The numbers of all variables that `which` picks, as they are after what has been submitted so far; of all by default.
   *
   * @throws Error when they have been destroyed; GpuError when the device failed.
   */
  async readAll(which: VariableFilter = () => true): Promise<Map<string, VariableValues>> {
    this.check();
    const chosen = [...this.#places].filter(([name, { stored }]) => which(name, groupOf(stored)));
    return readPlaces(this.#gpu, chosen);
  }

  /**
   * The same of the parts that lie within `ranges`, as they are at a point of work that is being recorded. Behind its submission the
   * function that is returned waits for them.
   *
   * @throws Error when a variable is not there, or they have been destroyed.
   */
  recordRead(
    staging: StagingRing,
    encoder: GPUCommandEncoder,
    ranges: readonly VariableRange[],
  ): () => Promise<Map<string, VariableValues>> {
    const chosen = ranges.flatMap(partsWithin).map(({ name }) => [name, this.#get(name)] as const);
    return recordPlaces(staging, encoder, chosen);
  }

  /**
   * Exchanges the numbers of each variable with those of its slot `<name>/<suffix>`, where it has one; done again, all are what they
   * were. What has been submitted before sees those of before.
   *
   * @throws Error when they have been destroyed.
   */
  exchange(suffix: string): void {
    this.check();
    const pairs = [...this.#stored.values()].flatMap(({ tensor, buffer }) => {
      const slot = this.#stored.get(`${tensor.name}/${suffix}`);
      return slot ? [{ own: buffer, slot: slot.buffer, bytes: bytesOf(tensor) }] : [];
    });
    if (pairs.length === 0) return;
    exchangeNumbers(this.#gpu, pairs);
  }

  /**
   * Frees the variables that `which` picks, an optimizer's slots for example; the next program makes them anew.
   *
   * @throws Error when it picks some parts of a stacked variable and not all; then nothing is freed.
   */
  release(which: VariableFilter): void {
    const chosen = [...this.#stored.values()].filter((stored) => {
      const { tensor } = stored;
      const parts = variableParts(tensor);
      const picked = parts.filter(({ name }) => which(name, groupOf(stored)));
      if (picked.length > 0 && picked.length < parts.length) {
        const left = parts.find((part) => !picked.includes(part))!;
        throw new Error(
          `"${picked[0].name}" cannot be released without "${left.name}": both lie in "${tensor.name}".`,
        );
      }
      return picked.length > 0;
    });
    for (const { tensor, buffer } of chosen) {
      this.#gpu.destroyBuffer(buffer);
      this.#stored.delete(tensor.name);
      for (const { name } of variableParts(tensor)) this.#places.delete(name);
    }
  }

  /** Frees all of them, for good. A second call does nothing. */
  destroy(): void {
    this.release(() => true);
    this.#destroyed = true;
  }

  /** {@link destroy}, for `using variables = new Variables(gpu)`. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /**
   * Does nothing while they are there.
   *
   * @throws Error when they have been destroyed.
   */
  check(): void {
    if (this.#destroyed) throw new Error("The variables have been destroyed: their numbers are gone.");
  }

  #get(name: string): Place {
    this.check();
    const place = this.#places.get(name);
    if (!place) throw new Error(`There is no variable "${name}".`);
    return place;
  }

  /** The values given for a part, which are then forgotten, or those of its initializer. */
  #firstValues({ name, shape, initializer }: VariablePart): Float32Array {
    const given = this.#given.get(name);
    this.#given.delete(name);
    if (given) return checkValues(name, shape, given.data, "was given");
    return checkValues(
      name,
      shape,
      initializer(shape, seededRandom(this.#seed, name)),
      "its initializer gave",
    );
  }

  #write({ stored, begin }: Place, values: Float32Array): void {
    this.#gpu.write(stored.buffer, values, 4 * begin);
  }
}
