import type { HostTensor } from "../tensors.ts";

/**
 * The γ of a batch norm with our ε that gives what one with another ε gives: γ·√((σ² + ours) / (σ² + theirs)).
 *
 * Exact to the rounding of one float32 while the norm runs on moving statistics. Not the variance is changed, since
 * one near zero would become negative: of ImageNet's DenseNet121, 17 are below 1e-8. Once the norm learns, its ε is ours.
 */
export function foldEpsilon(
  gamma: HostTensor,
  movingVariance: HostTensor,
  { ours, theirs }: { ours: number; theirs: number },
): HostTensor {
  if (ours === theirs) return gamma;
  const data = Float32Array.from(gamma.data, (value, i) => {
    const variance = movingVariance.data[i];
    const scale = Math.sqrt((variance + ours) / (variance + theirs));
    // A variance that is no number stays what spoils the result.
    return Number.isFinite(scale) ? value * scale : value;
  });
  return { shape: gamma.shape, data };
}
