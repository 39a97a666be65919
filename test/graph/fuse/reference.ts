import { EPSILON, MOMENTUM, outShape } from "./block.ts";
import type { Block, BlockNumbers, LayerNumbers, NormNumbers } from "./block.ts";

export interface Reference {
  readonly y: Float64Array;
  /** The moving statistics after a step, by the names of `runBlock`. */
  readonly moved: Readonly<Record<"mean1" | "variance1" | "mean2" | "variance2", number[]>>;
}

/** A dense block and the norm that follows it by definition, in double precision. */
export function referenceBlock(block: Block, numbers: BlockNumbers, training: boolean): Reference {
  const { x: xShape, growth, bottleneck } = block;
  const moved: Reference["moved"] = { mean1: [], variance1: [], mean2: [], variance2: [] };
  const normRelu = (
    x: Float64Array,
    channels: number,
    norm: NormNumbers,
    movedMean: number[],
    movedVariance: number[],
  ): Float64Array => {
    const [mean, variance] = training
      ? moments(x, channels)
      : [[...norm.movingMean], [...norm.movingVariance]];
    mean.forEach((value, c) => {
      movedMean.push(norm.movingMean[c] * MOMENTUM + value * (1 - MOMENTUM));
      movedVariance.push(norm.movingVariance[c] * MOMENTUM + variance[c] * (1 - MOMENTUM));
    });
    return x.map((value, i) => {
      const c = i % channels;
      const normalized = (value - mean[c]) / Math.sqrt(variance[c] + EPSILON);
      return Math.max(norm.gamma[c] * normalized + norm.beta[c], 0);
    });
  };
  let y = Float64Array.from(numbers.x);
  let channels = xShape[3];
  const layer = ({ norm1, kernel1, norm2, kernel2 }: LayerNumbers): void => {
    const one = normRelu(y, channels, norm1, moved.mean1, moved.variance1);
    const u = conv(one, xShape, channels, kernel1, 1, bottleneck);
    const two = normRelu(u, bottleneck, norm2, moved.mean2, moved.variance2);
    const added = conv(two, xShape, bottleneck, kernel2, 3, growth);
    const width = channels + growth;
    const wide = new Float64Array((y.length / channels) * width);
    wide.forEach((_, i) => {
      const [row, c] = [Math.floor(i / width), i % width];
      wide[i] = c < channels ? y[row * channels + c] : added[row * growth + c - channels];
    });
    y = wide;
    channels = width;
  };
  numbers.layers.forEach(layer);
  return { y: normRelu(y, channels, numbers.last, moved.mean1, moved.variance1), moved };
}

function moments(x: Float64Array, channels: number): [mean: number[], variance: number[]] {
  const rows = x.length / channels;
  const mean = Array.from({ length: channels }, () => 0);
  const variance = mean.slice();
  x.forEach((value, i) => (mean[i % channels] += value / rows));
  x.forEach((value, i) => (variance[i % channels] += (value - mean[i % channels]) ** 2 / rows));
  return [mean, variance];
}

/** A convolution of stride 1 that keeps the extents, by definition. */
function conv(
  x: Float64Array,
  [batch, height, width]: readonly number[],
  from: number,
  kernel: Float32Array,
  size: number,
  to: number,
): Float64Array {
  const y = new Float64Array(batch * height * width * to);
  const pad = (size - 1) / 2;
  for (let pixel = 0; pixel < batch * height * width; pixel++) {
    const [line, column] = [Math.floor(pixel / width) % height, pixel % width];
    for (let ky = 0; ky < size; ky++)
      for (let kx = 0; kx < size; kx++) {
        const [sy, sx] = [line + ky - pad, column + kx - pad];
        if (sy < 0 || sy >= height || sx < 0 || sx >= width) continue;
        const source = (pixel + (ky - pad) * width + kx - pad) * from;
        for (let ci = 0; ci < from; ci++) {
          const value = x[source + ci];
          const weights = ((ky * size + kx) * from + ci) * to;
          for (let co = 0; co < to; co++) y[pixel * to + co] += value * kernel[weights + co];
        }
      }
  }
  return y;
}

/** Σ(y·dy), in double precision. */
export function referenceLoss(block: Block, numbers: BlockNumbers): number {
  const { y } = referenceBlock(block, numbers, true);
  if (y.length !== outShape(block).reduce((a, b) => a * b)) throw new Error("The reference is wrong.");
  return y.reduce((sum, value, i) => sum + value * numbers.dy[i], 0);
}
