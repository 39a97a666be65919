import { GpuError } from "./errors.ts";
import type { Gpu } from "./gpu.ts";
import { readBuffer } from "./readback.ts";

/** How long a dispatch took. */
export interface DispatchTime {
  /** The kernel's label, e.g. `conv2d_forward`. */
  readonly label: string;
  /** In nanoseconds, as the adapter's own clock has it. */
  readonly nanoseconds: number;
}

/** Query sets hold at most this many timestamps. */
const MAX_QUERIES = 4096;

/**
 * Runs each item in a compute pass of its own with a timestamp before and after it. Slower than one pass for all, so
 * for breakdowns only.
 *
 * @throws GpuError of kind `unsupported` when the adapter lacks `timestamp-query`.
 */
export async function timePasses(
  gpu: Gpu,
  items: readonly { label: string; record: (pass: GPUComputePassEncoder) => void }[],
): Promise<DispatchTime[]> {
  if (!gpu.features.has("timestamp-query")) {
    throw new GpuError("unsupported", `${gpu.adapterName} cannot time its work (it has no timestamp-query).`);
  }
  const times: DispatchTime[] = [];
  const { QUERY_RESOLVE, COPY_SRC } = GPUBufferUsage;
  for (let first = 0; first < items.length; first += MAX_QUERIES / 2) {
    const part = items.slice(first, first + MAX_QUERIES / 2);
    const querySet = gpu.device.createQuerySet({ type: "timestamp", count: 2 * part.length });
    const resolved = gpu.createBuffer("timestamps", 16 * part.length, QUERY_RESOLVE | COPY_SRC);
    try {
      const encoder = gpu.device.createCommandEncoder({ label: "profile" });
      part.forEach(({ record }, i) => {
        const timestampWrites = {
          querySet,
          beginningOfPassWriteIndex: 2 * i,
          endOfPassWriteIndex: 2 * i + 1,
        };
        const pass = encoder.beginComputePass({ timestampWrites });
        record(pass);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, 2 * part.length, resolved, 0);
      gpu.device.queue.submit([encoder.finish()]);
      const ticks = new BigUint64Array(
        await readBuffer(gpu, { buffer: resolved, offset: 0, bytes: 16 * part.length }),
      );
      part.forEach(({ label }, i) =>
        times.push({ label, nanoseconds: Number(ticks[2 * i + 1] - ticks[2 * i]) }),
      );
    } finally {
      querySet.destroy();
      gpu.destroyBuffer(resolved);
    }
  }
  return times;
}
