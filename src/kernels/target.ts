import type { Gpu } from "../gpu/gpu.ts";
import type { TileFor } from "./conv2d/tiles.ts";
import type { KernelTarget } from "./kernel.ts";

const tiles = new WeakMap<Gpu, TileFor>();

/**
 * Has every matrix product that is compiled for `gpu` from now on, and every plan made for it, choose its tile so: they must
 * agree, for a plan knows how much memory the tiles take.
 */
export function useTiles(gpu: Gpu, tileFor: TileFor): void {
  tiles.set(gpu, tileFor);
}

/** What the kernels need to know of `gpu`: barrier-free register tiles where the adapter runs on the CPU. */
export function kernelTarget(gpu: Gpu): KernelTarget {
  const { subgroupMinSize, subgroupMaxSize } = gpu.info;
  const fixed = gpu.features.has("subgroups") && subgroupMinSize === subgroupMaxSize;
  return {
    family: gpu.isSoftware ? "register" : "workgroup",
    subgroupSize: fixed ? (subgroupMinSize ?? 0) : 0,
    maxBindingBytes: Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize),
    offsetAlignment: gpu.limits.minStorageBufferOffsetAlignment,
    maxStorageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupsPerDimension: gpu.limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroupBytes: gpu.limits.maxComputeWorkgroupStorageSize,
    maxInvocations: gpu.limits.maxComputeInvocationsPerWorkgroup,
    tileFor: tiles.get(gpu),
  };
}
