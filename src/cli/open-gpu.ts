import { Gpu } from "../gpu/gpu.ts";
import { openAdapter, wantedAdapter } from "./adapters.ts";
import type { OpenedAdapter } from "./adapters.ts";

/** Dawn ends as soon as nothing refers to its instance: it is kept here as long as its device lives. */
const alive = new Set<GPU>();

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
 * Opens a device on an adapter and keeps Dawn running until the device is destroyed or lost.
 *
 * @throws GpuError when the adapter hands out no device
 */
export async function openDevice({ adapter, dawn }: OpenedAdapter): Promise<Gpu> {
  alive.add(dawn);
  try {
    const gpu = await Gpu.create(adapter);
    void gpu.device.lost.then(() => alive.delete(dawn));
    return gpu;
  } catch (error) {
    alive.delete(dawn);
    throw error;
  }
}
