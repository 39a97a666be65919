import type { Gpu } from "./gpu.ts";

/** A range of a buffer to bring to the host. */
export interface ReadRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A ring of staging buffers for what is read every step (loss, accuracy): several readbacks can be in flight
 * without making a buffer for each. A ring buffer that is too small is replaced by a larger one.
 */
export class StagingRing {
  readonly #gpu: Gpu;
  readonly #free: GPUBuffer[] = [];
  readonly #capacity: number;
  #destroyed = false;

  constructor(gpu: Gpu, capacity = 3) {
    this.#gpu = gpu;
    this.#capacity = capacity;
  }

  /**
   * Records the copies into `encoder`; after the encoder has been submitted, call the function that is returned to
   * wait for the bytes, one `ArrayBuffer` a range.
   */
  record(encoder: GPUCommandEncoder, ranges: readonly ReadRange[]): () => Promise<ArrayBuffer[]> {
    const offsets: number[] = [];
    let total = 0;
    for (const { bytes } of ranges) {
      offsets.push(total);
      total += Math.ceil(bytes / 8) * 8;
    }
    const staging = this.#take(Math.max(total, 8));
    ranges.forEach(({ buffer, offset, bytes }, i) =>
      encoder.copyBufferToBuffer(buffer, offset, staging, offsets[i], Math.ceil(bytes / 4) * 4),
    );
    return async () => {
      try {
        await this.#gpu.waitFor(staging.mapAsync(GPUMapMode.READ, 0, total));
      } catch (error) {
        this.#gpu.destroyBuffer(staging);
        this.#gpu.check();
        throw error;
      }
      const mapped = staging.getMappedRange(0, total);
      const results = ranges.map(({ bytes }, i) => mapped.slice(offsets[i], offsets[i] + bytes));
      staging.unmap();
      this.#give(staging);
      this.#gpu.check();
      return results;
    };
  }

  /** Frees the buffers at once, those of readbacks in flight when they are done. */
  destroy(): void {
    this.#destroyed = true;
    for (const buffer of this.#free.splice(0)) this.#gpu.destroyBuffer(buffer);
  }

  #take(bytes: number): GPUBuffer {
    // The smallest that fits.
    this.#free.sort((a, b) => b.size - a.size);
    const fitting = this.#free.findLastIndex((buffer) => buffer.size >= bytes);
    if (fitting >= 0) return this.#free.splice(fitting, 1)[0];
    const { COPY_DST, MAP_READ } = GPUBufferUsage;
    return this.#gpu.createBuffer("staging", bytes, COPY_DST | MAP_READ);
  }

  #give(buffer: GPUBuffer): void {
    if (this.#destroyed) {
      this.#gpu.destroyBuffer(buffer);
      return;
    }
    this.#free.push(buffer);
    if (this.#free.length > this.#capacity) {
      this.#free.sort((a, b) => b.size - a.size);
      this.#gpu.destroyBuffer(this.#free.pop()!);
    }
  }
}

/** Bytes of one staging buffer when many ranges are read at once. */
const CHUNK_BYTES = 2 ** 26;

/** Reads ranges once, many in one submit, through a staging buffer that is made for it and freed again. */
export async function readBuffers(gpu: Gpu, ranges: readonly ReadRange[]): Promise<ArrayBuffer[]> {
  gpu.check();
  const ring = new StagingRing(gpu);
  const results: ArrayBuffer[] = [];
  try {
    for (const chunk of chunks(ranges)) {
      const encoder = gpu.device.createCommandEncoder({ label: "readback" });
      const wait = ring.record(encoder, chunk);
      gpu.device.queue.submit([encoder.finish()]);
      results.push(...(await wait()));
    }
    return results;
  } finally {
    ring.destroy();
  }
}

/** Reads one range once. */
export async function readBuffer(gpu: Gpu, range: ReadRange): Promise<ArrayBuffer> {
  const [bytes] = await readBuffers(gpu, [range]);
  return bytes;
}

/** The ranges in order, as many together as {@link CHUNK_BYTES} hold and one at least. */
function* chunks(ranges: readonly ReadRange[]): Generator<ReadRange[]> {
  let chunk: ReadRange[] = [];
  let total = 0;
  for (const range of ranges) {
    if (chunk.length > 0 && total + range.bytes > CHUNK_BYTES) {
      yield chunk;
      [chunk, total] = [[], 0];
    }
    chunk.push(range);
    total += range.bytes;
  }
  if (chunk.length > 0) yield chunk;
}
