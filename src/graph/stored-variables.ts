/** @file Where variables' numbers lie on the GPU, what is copied between there and here, and what is wrong with what is given. */
import { readBuffers } from "../gpu/readback.ts";
import type { ReadRange, StagingRing } from "../gpu/readback.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { sameParts, STACK_ALIGNMENT, variableParts } from "./graph.ts";
import type { Tensor } from "./graph.ts";
import { numbersText, sameShape, shapeText, sizeOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** Most that an exchange holds of a variable's numbers besides the variables. */
const EXCHANGED_BYTES = 2 ** 22;

/** Numbers of a variable in row-major order. */
export interface VariableValues {
  /** Its extents, outermost first. */
  readonly shape: Shape;
  /** As many numbers as the shape has elements. */
  readonly data: Float32Array;
}

/** A variable's buffer, in which its parts lie. */
export interface Stored {
  readonly tensor: Tensor;
  readonly buffer: GPUBuffer;
}

/** Where a part lies. */
export interface Place {
  readonly stored: Stored;
  readonly shape: Shape;
  /** In elements. */
  readonly begin: number;
  readonly end: number;
}

/** A range of a buffer that holds places one after the other, but for what lies between the parts of a stack. */
interface Span {
  readonly stored: Stored;
  readonly begin: number;
  end: number;
}

type NamedPlace = readonly [string, Place];

/** What is to be read of buffers for places, those of one buffer in their order there. */
class Spans {
  readonly #spans: Span[] = [];
  readonly #spanOf = new Map<Place, number>();
  readonly #chosen: readonly NamedPlace[];

  constructor(chosen: readonly NamedPlace[]) {
    this.#chosen = chosen;
    const newest = new Map<Stored, number>();
    for (const [, place] of chosen) {
      const { stored, begin, end } = place;
      const last = newest.get(stored);
      const span = last === undefined ? undefined : this.#spans[last];
      if (span && begin >= span.end && begin - span.end < STACK_ALIGNMENT) span.end = end;
      else newest.set(stored, this.#spans.push({ stored, begin, end }) - 1);
      this.#spanOf.set(place, newest.get(stored)!);
    }
  }

  get ranges(): ReadRange[] {
    return this.#spans.map(({ stored: { buffer }, begin, end }) => ({
      buffer,
      offset: 4 * begin,
      bytes: 4 * (end - begin),
    }));
  }

  /** The numbers of the places, of the bytes of the ranges. */
  values(read: readonly ArrayBuffer[]): Map<string, VariableValues> {
    return new Map(
      this.#chosen.map(([name, place]) => {
        const { shape, begin, end } = place;
        const number = this.#spanOf.get(place)!;
        const bytes = read[number];
        const [first, last] = [begin, end].map((element) => 4 * (element - this.#spans[number].begin));
        const whole = first === 0 && last === bytes.byteLength;
        return [name, { shape, data: new Float32Array(whole ? bytes : bytes.slice(first, last)) }];
      }),
    );
  }
}

/** The numbers of places, by name, as they are after what has been submitted so far. */
export async function readPlaces(
  gpu: Gpu,
  chosen: readonly NamedPlace[],
): Promise<Map<string, VariableValues>> {
  const spans = new Spans(chosen);
  return spans.values(await readBuffers(gpu, spans.ranges));
}

/**
 * Records what brings the numbers of places, as they are at this point; behind the submission the function that is returned waits for
 * them.
 */
export function recordPlaces(
  staging: StagingRing,
  encoder: GPUCommandEncoder,
  chosen: readonly NamedPlace[],
): () => Promise<Map<string, VariableValues>> {
  const spans = new Spans(chosen);
  const wait = staging.record(encoder, spans.ranges);
  return async () => spans.values(await wait());
}

/** Two buffers of `bytes` bytes. */
interface Pair {
  readonly own: GPUBuffer;
  readonly slot: GPUBuffer;
  readonly bytes: number;
}

/** Exchanges what is in the buffers of each pair, of which there is at least one. */
export function exchangeNumbers(gpu: Gpu, pairs: readonly Pair[]): void {
  const most = Math.min(EXCHANGED_BYTES, Math.max(...pairs.map(({ bytes }) => bytes)));
  const between = gpu.createBuffer("exchange", most, GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
  submit(gpu, (encoder) => {
    for (const { own, slot, bytes } of pairs) {
      for (let offset = 0; offset < bytes; offset += most) {
        const size = Math.min(most, bytes - offset);
        encoder.copyBufferToBuffer(own, offset, between, 0, size);
        encoder.copyBufferToBuffer(slot, offset, own, offset, size);
        encoder.copyBufferToBuffer(between, 0, slot, offset, size);
      }
    }
  });
  gpu.destroyBuffer(between);
}

/** Submits what `record` records. */
export function submit(gpu: Gpu, record: (encoder: GPUCommandEncoder) => void): void {
  const encoder = gpu.device.createCommandEncoder({ label: "variables" });
  record(encoder);
  gpu.device.queue.submit([encoder.finish()]);
}

/**
 * `values`, which `whence` says where from.
 *
 * @throws Error when they are not as many as the variable has.
 */
export function checkValues(name: string, shape: Shape, values: Float32Array, whence: string): Float32Array {
  if (values instanceof Float32Array && values.length === sizeOf(shape)) return values;
  throw new Error(
    `The variable "${name}" ${shapeText(shape)} takes a Float32Array of ${sizeOf(shape)} values, and ${whence} ` +
      `${numbersText(values)}.`,
  );
}

export const groupOf = ({ tensor }: Stored): string | null => tensor.variable?.group ?? null;

/** @throws Error when two tensors of one variable differ in shape, or are cut into other parts. */
export function checkSame(known: Tensor, asked: Tensor): void {
  const { name, shape } = asked;
  const single = [known, asked].every((tensor) => variableParts(tensor).length === 1);
  if (single && !sameShape(known.shape, shape)) {
    throw new Error(
      `The variable "${name}" is ${shapeText(known.shape)} and the graph has ${shapeText(shape)}.`,
    );
  }
  if (!sameParts(variableParts(known), variableParts(asked))) {
    throw new Error(
      `The variable "${name}" is cut into other parts than the graph's: stack it the same way in every graph that ` +
        `shares the variables.`,
    );
  }
}
