import type { Gpu } from "../gpu/gpu.ts";
import type { TileFor } from "../kernels/tiling.ts";
import { shippedTile } from "../kernels/conv2d/shipped-tiles.ts";
import type { KernelTarget } from "../kernels/kernel.ts";
import { vendorFamily } from "./vendor-family.ts";

/** A vec4f begins at a multiple of so many bytes in Metal and Vulkan, whose adapters may let bindings begin at any fourth. */
const ELEMENT_ALIGNMENT = 16;

/**
 * What the kernels need to know of `gpu`: barrier-free register tiles where the adapter runs on the CPU.
 *
 * @param tileFor chooses the tiles of matrix products. A plan knows how much memory they take, so what is planned and
 *   what is compiled must have the same.
 */
export function kernelTarget(gpu: Gpu, tileFor?: TileFor): KernelTarget {
  const { subgroupMinSize: lanes = 0, subgroupMaxSize } = gpu.info;
  const oneSize = gpu.features.has("subgroups") && lanes === subgroupMaxSize;
  return {
    family: gpu.isSoftware ? "register" : "workgroup",
    subgroupSize: oneSize ? lanes : 0,
    subgroupMatrix: gpu.subgroupMatrix,
    maxBindingBytes: Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize),
    maxBufferBytes: gpu.limits.maxBufferSize,
    offsetAlignment: Math.max(ELEMENT_ALIGNMENT, gpu.limits.minStorageBufferOffsetAlignment),
    maxStorageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupsPerDimension: gpu.limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroupBytes: gpu.limits.maxComputeWorkgroupStorageSize,
    maxInvocations: gpu.limits.maxComputeInvocationsPerWorkgroup,
    shippedTile: (request) => shippedTile(vendorFamily(gpu), request),
    tileFor,
  };
}
