/** @file What the variables of a part of a network have in common. */
import { glorotUniform, ones, randomNormal, zeros } from "../../graph/initializers.ts";
import type { Initializer } from "../../graph/initializers.ts";
import type { LayerPart, WeightRole } from "./layer.ts";

/** What they belong to; see `Variable.group`. */
export function groupOf(part: LayerPart): string | null {
  return part?.startsWith("upsample_") ? "decoder" : part;
}

/** First values: Keras's defaults, and of kernels in the decoder's blocks pix2pix's. */
export function initializerOf(part: LayerPart, role: WeightRole): Initializer {
  if (role === "gamma" || role === "moving_variance") return ones;
  if (!role.endsWith("kernel")) return zeros;
  return groupOf(part) === "decoder" ? randomNormal(0.02) : glorotUniform;
}
