import type { Gpu } from "../gpu/gpu.ts";
import type { VendorFamily } from "../kernels/conv2d/shipped-tiles.ts";

/** Architectures of AMD's, as Dawn and browsers name them: `rdna-3`, `gcn-5`. */
const AMD: readonly (readonly [RegExp, VendorFamily])[] = [
  [/^rdna/, "amd-rdna"],
  [/^gcn/, "amd-gcn"],
];

/** The family of an adapter, from what WebGPU tells of it. */
export function vendorFamily({ info, isSoftware }: Pick<Gpu, "info" | "isSoftware">): VendorFamily {
  if (isSoftware) return "software";
  const [vendor, architecture] = [info.vendor, info.architecture].map((name) => name.toLowerCase());
  if (vendor === "apple" || vendor === "intel" || vendor === "nvidia") return vendor;
  if (vendor === "amd") return AMD.find(([pattern]) => pattern.test(architecture))?.[1] ?? "unknown";
  return "unknown";
}
