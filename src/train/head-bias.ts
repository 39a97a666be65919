/** The variable of it. */
export const HEAD_BIAS = "head/bias";

/** Of a class that hardly occurs or does not: its logit is to be low, but not out of reach. */
const LEAST_SHARE = 1e-4;

/**
 * With which bias a head begins to tell apart classes of so many pixels: the logarithm of each class's share. The network then
 * says from the first step on what is known without looking, and spends no steps on learning it (the prior of Lin et al. 2017,
 * "Focal Loss for Dense Object Detection", §4.1, for many classes).
 *
 * @param weights of the classes in the loss, which then decides as if each class had so many times its pixels.
 */
export function biasOfFrequencies(pixels: ArrayLike<number>, weights: Float32Array | null): Float32Array {
  const counts = Array.from(pixels, (count, label) => count * (weights?.[label] ?? 1));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(counts, (count) => Math.log(Math.max(count / total, LEAST_SHARE)));
}
