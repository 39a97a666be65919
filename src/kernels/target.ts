import type { Gpu } from "../gpu/gpu.ts";
import type { KernelTarget } from "./kernel.ts";

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
  };
}
