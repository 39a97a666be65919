import type { Gpu } from "../gpu/gpu.ts";
import type { TileFor } from "../kernels/tiling.ts";
import type { KernelTarget, SubgroupMatrix } from "../kernels/kernel.ts";

/**
 * What the kernels need to know of `gpu`: barrier-free register tiles where the adapter runs on the CPU.
 *
 * @param tileFor chooses the tiles of matrix products. A plan knows how much memory they take, so what is planned and
 *   what is compiled must have the same.
 */
export function kernelTarget(gpu: Gpu, tileFor?: TileFor): KernelTarget {
  const { subgroupMinSize, subgroupMaxSize } = gpu.info;
  const fixed = gpu.features.has("subgroups") && subgroupMinSize === subgroupMaxSize;
  const subgroupSize = fixed ? (subgroupMinSize ?? 0) : 0;
  return {
    family: gpu.isSoftware ? "register" : "workgroup",
    subgroupSize,
    subgroupMatrix: subgroupSize > 0 ? subgroupMatrixOf(gpu) : null,
    maxBindingBytes: Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize),
    offsetAlignment: gpu.limits.minStorageBufferOffsetAlignment,
    maxStorageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupsPerDimension: gpu.limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroupBytes: gpu.limits.maxComputeWorkgroupStorageSize,
    maxInvocations: gpu.limits.maxComputeInvocationsPerWorkgroup,
    tileFor,
  };
}

/** What adapters with `chromium-experimental-subgroup-matrix` tell of themselves; it is in no standard yet. */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The largest of the configurations that multiply f16 into f32 and that tiles can be made of. */
export function subgroupMatrixOf({ features, info }: Pick<Gpu, "features" | "info">): SubgroupMatrix | null {
  const needed = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
  if (!needed.every((feature) => features.has(feature))) return null;
  const { subgroupMatrixConfigs } = info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const volume = ({ M, N, K }: SubgroupMatrixConfig): number => M * N * K;
  const [best] = [...(subgroupMatrixConfigs ?? [])]
    .filter(
      ({ componentType, resultComponentType }) => componentType === "f16" && resultComponentType === "f32",
    )
    .filter(({ M, N, K }) => [M, N, K].every((extent) => extent >= 8 && 16 % extent === 0))
    .sort((a, b) => volume(b) - volume(a));
  return best ? { rows: best.M, columns: best.N, depth: best.K } : null;
}
