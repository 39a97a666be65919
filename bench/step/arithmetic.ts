/**
 * @file The arithmetic that a training step of the U-Net needs, from the network's definition and not from what is run:
 * a kernel that computes the same thing with fewer operations shows as a higher rate, not as less work.
 */
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import type { Phase } from "../../src/runs/phase.ts";

/** What the reckoning depends on. */
export interface StepShape {
  readonly batchSize: number;
  /** Side of the square photos. */
  readonly imageSize: number;
  readonly classes: number;
  readonly decoder: Decoder;
}

/** A convolution of the network. */
export interface Convolution {
  readonly part: "encoder" | "decoder";
  /** Multiply-adds of the forward product for one photo; each of the two gradients takes as many. */
  readonly multiplyAdds: number;
  readonly inChannels: number;
  /** Input channels that come from the decoder itself, which are all that need a gradient while the encoder is frozen. */
  readonly decoded: number;
}

const BLOCKS = [6, 12, 24, 16];
const GROWTH = 32;
const BOTTLENECK = 4 * GROWTH;
const DECODER_FILTERS = [512, 256, 128, 64];
/** Channels of the encoder's outputs that the decoder joins, deepest first. */
const JOINED = [1024, 512, 256, 64];

/** All convolutions in the order in which they run; taps that fall on the padding are counted. */
export function convolutions({ imageSize, classes, decoder }: Omit<StepShape, "batchSize">): Convolution[] {
  const list: Convolution[] = [];
  const add = (
    part: Convolution["part"],
    side: number,
    taps: number,
    inChannels: number,
    filters: number,
    decoded = 0,
  ): void => {
    list.push({ part, multiplyAdds: side ** 2 * taps * inChannels * filters, inChannels, decoded });
  };

  add("encoder", imageSize / 2, 49, 3, 64);
  let channels = 64;
  let side = imageSize / 4;
  BLOCKS.forEach((layers, block) => {
    for (let layer = 0; layer < layers; layer++) {
      add("encoder", side, 1, channels, BOTTLENECK);
      add("encoder", side, 9, BOTTLENECK, GROWTH);
      channels += GROWTH;
    }
    if (block === BLOCKS.length - 1) return;
    add("encoder", side, 1, channels, channels / 2);
    channels /= 2;
    side /= 2;
  });

  // A transposed convolution of stride 2 has as many taps as input pixels ask for, the other decoder as output pixels do.
  const scale = decoder === "transpose" ? 1 : 2;
  let decoded = 0;
  [...DECODER_FILTERS, classes].forEach((filters, i) => {
    add("decoder", scale * side, 9, channels, filters, decoded);
    decoded = filters;
    channels = filters + (JOINED[i] ?? 0);
    side *= 2;
  });
  return list;
}

/**
 * Floating-point operations of one training step, a multiply-add being two: every convolution's forward product, and of
 * the gradients those that are asked for. Everything that is not a convolution is left out.
 */
export function stepFlops(shape: StepShape, phase: Phase): number {
  const all = convolutions(shape);
  const multiplyAdds = all.map((conv, i) => {
    const { part, multiplyAdds: product, inChannels, decoded } = conv;
    if (phase === "frozen") return part === "encoder" ? product : product * (2 + decoded / inChannels);
    return product * (i === 0 ? 2 : 3);
  });
  return 2 * shape.batchSize * multiplyAdds.reduce((a, b) => a + b, 0);
}
