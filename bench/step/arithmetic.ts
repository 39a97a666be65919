/**
 * @file The arithmetic that a training step of the U-Net needs, from the network's definition and not from what is run:
 * a kernel that computes the same thing with fewer operations shows as a higher rate, not as less work.
 */
import { sizeOf } from "../../src/graph/shape.ts";
import { toSize } from "../../src/image-size.ts";
import type { ImageSize } from "../../src/image-size.ts";
import type { Encoder } from "../../src/layers/networks/encoder.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import type { Layer } from "../../src/layers/networks/layer.ts";
import { sizesOf } from "../../src/layers/networks/sizes.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import type { Phase } from "../../src/runs/phase.ts";

/** What the reckoning depends on. */
export interface StepShape {
  readonly batchSize: number;
  /** Of the photos. */
  readonly imageSize: ImageSize;
  readonly classes: number;
  readonly decoder: Decoder;
  /** DenseNet121 by default. */
  readonly encoder?: Encoder | undefined;
}

/** A convolution of the network; a separable one is two. */
export interface Convolution {
  readonly part: "encoder" | "decoder";
  /** Multiply-adds of the forward product for one photo; each of the two gradients takes as many. */
  readonly multiplyAdds: number;
  readonly inChannels: number;
  /** Input channels that come from the decoder itself, which are all that need a gradient while the encoder is frozen. */
  readonly decoded: number;
}

/** All convolutions in the order in which they run; taps that fall on the padding are counted. */
export function convolutions({
  imageSize,
  encoder,
  ...options
}: Omit<StepShape, "batchSize">): Convolution[] {
  const layers = unetLayers({ ...options, ...(encoder && { encoder }) });
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const { height, width } = toSize(imageSize);
  const sizes = sizesOf(layers, [height, width]);
  const decodedOf = (name: string): number => {
    const layer = byName.get(name);
    if (layer === undefined || layer.part === "encoder") return 0;
    const { operation, inputs, channels } = layer;
    const passesOn = ["Concatenate", "UpSampling2D", "CenterCropOrPad"].includes(operation.kind);
    return passesOn ? inputs.reduce((sum, input) => sum + decodedOf(input), 0) : channels;
  };
  return layers.flatMap(({ name, operation, inputs, weights, part }: Layer) => {
    // A transposed convolution has its taps at every pixel that it reads, any other at every pixel that it makes.
    const [height, width] = sizes.get(operation.kind === "Conv2DTranspose" ? inputs[0] : name)!;
    return weights
      .filter(({ role }) => role.endsWith("kernel"))
      .map(({ shape }): Convolution => ({
        part: part === "encoder" ? "encoder" : "decoder",
        multiplyAdds: height * width * sizeOf(shape),
        inChannels: shape[operation.kind === "Conv2DTranspose" ? 3 : 2],
        decoded: decodedOf(inputs[0]),
      }));
  });
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
