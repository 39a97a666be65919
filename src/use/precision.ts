import type { Precision } from "../config/index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { refuseUnknownPrecision } from "../train/precision.ts";
import type { Model } from "./model.ts";

/** What a trained network's activations are stored in, and why, for people. */
export interface ChosenPrecision {
  readonly precision: Precision;
  /** `f16, as it was trained`. */
  readonly text: string;
}

/**
 * As it is asked for; else as the network was trained, so that it gives the figures that its run had; f32 where the adapter has no
 * half-precision numbers.
 *
 * @throws ConfigError when f16 is asked for and the adapter has none.
 */
export function choosePrecision(
  gpu: Pick<Gpu, "features" | "adapterName">,
  { precision: trained }: Pick<Model, "precision">,
  asked?: Precision,
): ChosenPrecision {
  if (asked !== undefined) {
    refuseUnknownPrecision(gpu, { precision: asked });
    return { precision: asked, text: asked };
  }
  if (trained === "f32") return { precision: "f32", text: "f32" };
  if (gpu.features.has("shader-f16")) return { precision: trained, text: `${trained}, as it was trained` };
  return {
    precision: "f32",
    text: `f32 (it was trained in ${trained}, which ${gpu.adapterName} does not have)`,
  };
}
