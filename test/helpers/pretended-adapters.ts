/**
 * @file Adapters of machines that are not here, as Dawn describes them: the limits, features and subgroups that kernels are
 * made for. Sources:
 *
 * - WebGPU's minimum: the table of limits in the specification, https://www.w3.org/TR/webgpu/#limits.
 * - Metal: Dawn, `src/dawn/native/metal/PhysicalDeviceMTL.mm`. Of the 31 buffers of a function one holds the others' lengths,
 *   and 12 uniform and 8 vertex buffers are set aside, which leaves 10; 32 KiB and 1024 threads since family Apple4; a binding
 *   may begin at any fourth byte; buffers and bindings end at 4 GiB - 1. Subgroups of 4 to 64 are what Metal may have (every
 *   Apple GPU's have 32, gpuweb/gpuweb#5545), matrices are simdgroup_matrix's 8×8×8, f32 into f32 or f16 into f16.
 * - Direct3D 12: Dawn, `src/dawn/native/d3d12/PhysicalDeviceD3D12.cpp`. 32 KiB, 1024×1024×64 threads, 65,535 workgroups, 2 GiB
 *   a buffer. No subgroup matrices before SM 6.10.
 * - Vulkan: Dawn, `src/dawn/native/vulkan/PhysicalDeviceVk.cpp`, takes the driver's own, and the least of the three dimensions;
 *   the drivers' at https://vulkan.gpuinfo.org. Dawn binds 16 storage buffers at most (`kMaxStorageBuffersPerShaderStage`).
 *   AMD's subgroups have 32 or 64 lanes and its matrices of RDNA3 ask for 32 (microsoft/onnxruntime#32667); Intel's Xe has
 *   8 to 32 and Xe2 16 to 32 (IGCIT/Intel-GPU-Community-Issue-Tracker-IGCIT#1402), its matrices are 8×16×16
 *   (ggml-org/llama.cpp#21669).
 */
import type { Gpu } from "../../src/gpu/gpu.ts";
import { offeredMatrix } from "../../src/gpu/subgroup-matrix.ts";
import type { SubgroupMatrixConfig } from "../../src/gpu/subgroup-matrix.ts";

/** The limits that an engine of compute kernels can run into. */
export interface PretendedLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxUniformBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupSizeY: number;
  readonly maxComputeWorkgroupSizeZ: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly minStorageBufferOffsetAlignment: number;
  readonly minUniformBufferOffsetAlignment: number;
}

export interface PretendedAdapter {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly features: ReadonlySet<string>;
  readonly subgroups: readonly [least: number, most: number];
  readonly matrices?: readonly SubgroupMatrixConfig[];
  readonly limits: PretendedLimits;
}

const [MiB, GiB] = [2 ** 20, 2 ** 30];

const minimum: PretendedLimits = {
  maxBufferSize: 256 * MiB,
  maxStorageBufferBindingSize: 128 * MiB,
  maxUniformBufferBindingSize: 65536,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
  minStorageBufferOffsetAlignment: 256,
  minUniformBufferOffsetAlignment: 256,
};

/** What desktop drivers have in common. */
const desktop: PretendedLimits = {
  ...minimum,
  maxBufferSize: 4 * GiB - 1,
  maxStorageBufferBindingSize: 4 * GiB - 4,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupSizeY: 1024,
};

const HALF = ["shader-f16", "subgroups", "subgroup-size-control", "timestamp-query"];
const MATRICES = [...HALF, "chromium-experimental-subgroup-matrix"];

const matrix = (operands: string, sums: string, M: number, N: number, K: number): SubgroupMatrixConfig => ({
  componentType: operands,
  resultComponentType: sums,
  M,
  N,
  K,
});

export const phone: PretendedAdapter = {
  name: "a phone with WebGPU's minimum",
  vendor: "",
  architecture: "",
  features: new Set(),
  subgroups: [4, 128],
  limits: minimum,
};

export const apple: PretendedAdapter = {
  name: "Apple, Metal",
  vendor: "apple",
  architecture: "metal-3",
  features: new Set(MATRICES.filter((feature) => feature !== "subgroup-size-control")),
  subgroups: [4, 64],
  matrices: [matrix("f32", "f32", 8, 8, 8), matrix("f16", "f16", 8, 8, 8)],
  limits: {
    ...desktop,
    maxStorageBufferBindingSize: 4 * GiB - 1,
    maxUniformBufferBindingSize: 4 * GiB - 1,
    maxStorageBuffersPerShaderStage: 10,
    maxComputeWorkgroupSizeZ: 1024,
    minStorageBufferOffsetAlignment: 4,
    minUniformBufferOffsetAlignment: 4,
  },
};

export const direct3d: PretendedAdapter = {
  name: "Windows, Direct3D 12",
  vendor: "nvidia",
  architecture: "ampere",
  features: new Set(HALF),
  subgroups: [32, 32],
  limits: {
    ...desktop,
    maxBufferSize: 2 * GiB,
    maxStorageBufferBindingSize: 2 * GiB,
  },
};

export const nvidia: PretendedAdapter = {
  name: "NVIDIA, Vulkan",
  vendor: "nvidia",
  architecture: "ampere",
  features: new Set(MATRICES),
  subgroups: [32, 32],
  matrices: [matrix("f16", "f32", 16, 16, 16)],
  limits: {
    ...desktop,
    maxComputeWorkgroupStorageSize: 49152,
    minStorageBufferOffsetAlignment: 16,
    minUniformBufferOffsetAlignment: 64,
  },
};

export const amd: PretendedAdapter = {
  name: "AMD RDNA3, Vulkan",
  vendor: "amd",
  architecture: "rdna-3",
  features: new Set(MATRICES),
  subgroups: [32, 64],
  matrices: [matrix("f16", "f32", 16, 16, 16)],
  limits: {
    ...desktop,
    maxComputeWorkgroupStorageSize: 65536,
    minStorageBufferOffsetAlignment: 4,
    minUniformBufferOffsetAlignment: 4,
  },
};

export const intelXe: PretendedAdapter = {
  name: "Intel Xe, Vulkan",
  vendor: "intel",
  architecture: "xe",
  features: new Set(MATRICES),
  subgroups: [8, 32],
  matrices: [matrix("f16", "f32", 8, 8, 16)],
  limits: {
    ...desktop,
    maxStorageBufferBindingSize: GiB,
    minStorageBufferOffsetAlignment: 4,
    minUniformBufferOffsetAlignment: 64,
  },
};

export const intelXe2: PretendedAdapter = {
  ...intelXe,
  name: "Intel Xe2, Vulkan",
  architecture: "xe-2",
  subgroups: [16, 32],
  matrices: [matrix("f16", "f32", 8, 16, 16)],
  limits: { ...intelXe.limits, maxComputeWorkgroupStorageSize: 49152 },
};

export const PRETENDED_ADAPTERS: readonly PretendedAdapter[] = [
  phone,
  apple,
  direct3d,
  nvidia,
  amd,
  intelXe,
  intelXe2,
];

/** Lanes of the subgroups on hardware where neither kernels nor adapters say how many. */
const PROBED_LANES = 32;

/** As far as plans look at a device. */
export function pretendedGpu(adapter: PretendedAdapter): Gpu {
  const { name, vendor, architecture, features, subgroups, matrices, limits } = adapter;
  const info = {
    ...{ description: name, vendor, architecture },
    subgroupMinSize: subgroups[0],
    subgroupMaxSize: subgroups[1],
    subgroupMatrixConfigs: matrices,
  };
  const offered = offeredMatrix({ features, info: info as unknown as GPUAdapterInfo });
  const subgroupMatrix =
    typeof offered === "string" ? null : { ...offered, lanes: offered.lanes || PROBED_LANES };
  return { adapterName: name, isSoftware: false, features, limits, info, subgroupMatrix } as unknown as Gpu;
}
