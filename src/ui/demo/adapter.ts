import { Gpu } from "../../index.ts";
import { NO_ADAPTER, NO_WEBGPU, noDevice, TroubleError } from "./trouble.ts";

/**
 * Opens the browser's best adapter.
 *
 * @throws TroubleError when there is no WebGPU, no adapter or no device.
 */
export async function openBrowserGpu(): Promise<Gpu> {
  // The types have it always; older browsers and pages without a secure origin have not.
  const webgpu = navigator.gpu as GPU | undefined;
  if (!webgpu) throw new TroubleError(NO_WEBGPU);
  const adapter = await webgpu
    .requestAdapter({ powerPreference: "high-performance" })
    .catch((error: unknown) => {
      throw new TroubleError(noDevice(String(error)), { cause: error });
    });
  if (!adapter) throw new TroubleError(NO_ADAPTER);
  try {
    return await Gpu.create(adapter);
  } catch (error) {
    throw new TroubleError(noDevice((error as Error).message), { cause: error });
  }
}

/** What the adapter is called; browsers keep its full name to themselves. */
export function adapterText({ info, isSoftware }: Pick<Gpu, "info" | "isSoftware">): string {
  const name = info.description || [info.vendor, info.architecture || info.device].filter(Boolean).join(" ");
  return `${name || "unknown adapter"}${isSoftware ? " (software)" : ""}`;
}
