import { Gpu } from "../gpu/gpu.ts";
import { describeAdapter, openAdapter, wantedAdapter } from "./adapters.ts";

/**
 * Opens the best adapter of this machine through Dawn and a device on it; a hardware GPU comes before any software driver.
 *
 * @param options.adapter "auto", "hardware", "lavapipe", "swiftshader", or a part of an adapter's name; left out, the one
 *   that set-up chose or `BESPOKE_ADAPTER` names
 * @throws Error in one sentence when there is no such adapter; GpuError when the adapter hands out no device
 */
export async function openGpu(options: { adapter?: string } = {}): Promise<Gpu> {
  return openDevice(await openAdapter(options.adapter ?? wantedAdapter()));
}

/**
 * Opens a device on an adapter.
 *
 * @throws GpuError when the adapter hands out no device
 */
export function openDevice(adapter: GPUAdapter): Promise<Gpu> {
  return Gpu.create(adapter, {
    ...(describeAdapter(adapter).software && { waitFor: doze }),
    // Mesa's AMD driver, told to compile for a card that is not there.
    compilesOnly: Boolean(process.env.RADV_FORCE_FAMILY),
  });
}

const clock = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits for a promise of Dawn's with a nap of a millisecond between looks. While one of its promises is pending Dawn looks
 * at it without pause, and that takes a core away from an adapter that runs on the CPU.
 */
async function doze<T>(promise: Promise<T>): Promise<T> {
  let pending = true;
  const settled = promise.finally(() => (pending = false));
  // Handled below, but only after the loop has seen it.
  settled.catch(() => undefined);
  while (pending) {
    Atomics.wait(clock, 0, 0, 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return settled;
}
