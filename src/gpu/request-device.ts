/** @file Drivers refuse some of what their adapters promise; then a device with less is better than none. */
import { toGpuError } from "./errors.ts";

/** What a device is asked to have. */
export interface DeviceRequest {
  /** In standards. */
  readonly features: readonly GPUFeatureName[];
  /** In none yet. */
  readonly experimental: readonly GPUFeatureName[];
  readonly limits: Readonly<Record<string, number>>;
}

/**
 * Asks for all of `wanted`, and where that is refused for less and less of it: without what is in no standard yet, with
 * WebGPU's smallest limits, without any feature.
 *
 * @returns the device, and in a sentence what it lacks of `wanted`; null where it lacks nothing
 * @throws GpuError with what the first refusal said, when there is no device at all
 */
export async function requestDevice(
  adapter: GPUAdapter,
  { features, experimental, limits }: DeviceRequest,
): Promise<{ readonly device: GPUDevice; readonly lacking: string | null }> {
  const { description, device: name } = adapter.info;
  const title = `The adapter "${description || name}"`;
  const attempts = [
    { lacks: null, requiredFeatures: [...features, ...experimental], requiredLimits: limits },
    { lacks: `without ${experimental.join(", ")}`, requiredFeatures: features, requiredLimits: limits },
    { lacks: "with WebGPU's smallest limits", requiredFeatures: features, requiredLimits: {} },
    { lacks: "with WebGPU's smallest limits and no feature", requiredFeatures: [], requiredLimits: {} },
  ];
  const tried = new Set<string>();
  let refusal: unknown;
  for (const { lacks, ...request } of attempts) {
    const same = JSON.stringify(request);
    if (tried.has(same)) continue;
    tried.add(same);
    try {
      const device = await adapter.requestDevice(request);
      const lacking =
        lacks && `${title} refuses what it offers (${firstLine(refusal)}): it is used ${lacks}, and slower.`;
      return { device, lacking };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw toGpuError(`${title} gave no device`, refusal);
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split("\n", 1)[0].replace(/[.:]$/, "");
