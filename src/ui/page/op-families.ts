import type { MemoryTenant } from "../../graph/memory-plan.ts";

/** The colours of the memory map: what each stands for, and the tenants that have it. */
const COLOURS: readonly {
  readonly name: string;
  readonly families: readonly MemoryTenant["family"][];
  /** Of one pass only. */
  readonly backward?: boolean;
}[] = [
  { name: "convolutions", families: ["convolution"], backward: false },
  { name: "gradients of convolutions", families: ["convolution"], backward: true },
  { name: "normalization", families: ["normalization"] },
  { name: "pooling and upsampling", families: ["pooling"] },
  { name: "activations, sums, copies", families: ["elementwise", "copy"] },
  { name: "loss and metrics", families: ["loss"] },
  { name: "optimizer", families: ["optimizer"] },
];

export const FAMILY_NAMES: readonly string[] = [...COLOURS.map(({ name }) => name), "other"];

/** The number, among {@link FAMILY_NAMES}, of what a tenant belongs to; of an old plan's, which does not say, `other`. */
export function familyOf({ family, backward = false }: Pick<MemoryTenant, "family" | "backward">): number {
  const index = COLOURS.findIndex(
    (colour) => colour.families.includes(family) && (colour.backward ?? backward) === backward,
  );
  return index < 0 ? COLOURS.length : index;
}
