import type { TrainConfig } from "../config/index.ts";
import type { InitialWeights } from "./initial-weights.ts";

/**
 * What `--freeze` asks for and the user hardly wants, in a sentence each.
 *
 * @param weights that the run begins with; null for random ones
 */
export function freezingRemarks(
  { freeze, epochsFrozen, cacheFeatures, weights: path }: TrainConfig,
  weights: Pick<InitialWeights, "hasDecoder"> | null,
): string[] {
  if (epochsFrozen === 0) return [];
  if (freeze === "none" && cacheFeatures) {
    return [
      "--cache-features keeps nothing with --freeze none: what the encoder makes of a photo changes with every step",
    ];
  }
  if (freeze !== "decoder" || weights?.hasDecoder) return [];
  const why = weights === null ? "there are no --weights" : `${path} holds an encoder only`;
  return [
    `--freeze decoder keeps a decoder of random numbers, for ${why}: give a whole network, or --freeze encoder to train the ` +
      "decoder",
  ];
}
