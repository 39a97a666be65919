import type { HostTensor } from "../tensors.ts";

/** What each result channel of a convolution is multiplied by and raised by where a batch norm is part of it. */
export interface ChannelAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** A batch norm in inference as `scale·x + shift`, one of each a channel. */
export function batchNormAffine(
  values: Readonly<Record<"gamma" | "beta" | "moving_mean" | "moving_variance", ArrayLike<number>>>,
  epsilon: number,
): ChannelAffine {
  const { gamma, beta, moving_mean: mean, moving_variance: variance } = values;
  const scale = Float64Array.from(gamma, (factor, c) => factor / Math.sqrt(variance[c] + epsilon));
  return { scale, shift: scale.map((factor, c) => beta[c] - mean[c] * factor) };
}

/**
 * A kernel as ONNX has it: HWIO becomes OIHW, HWOI, of a transposed convolution, IOHW, and `[h, w, C, 1]`, of a depthwise
 * one, `[C, 1, h, w]`.
 *
 * @param scale what the weights of each result channel are multiplied by
 */
export function onnxKernel(
  { shape, data }: HostTensor,
  kind: "Conv2D" | "Conv2DTranspose" | "DepthwiseConv2D",
  scale?: Float64Array,
): { shape: number[]; data: Float32Array } {
  const [height, width, third, fourth] = shape;
  const taps = height * width;
  const permuted = new Float32Array(data.length);
  let from = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < third; i++) {
      for (let j = 0; j < fourth; j++) {
        const factor = scale === undefined ? 1 : scale[kind === "Conv2D" ? j : i];
        permuted[(j * third + i) * taps + tap] = data[from++] * factor;
      }
    }
  }
  const channels = kind === "DepthwiseConv2D" ? [third, fourth] : [fourth, third];
  return { shape: [...channels, height, width], data: permuted };
}
