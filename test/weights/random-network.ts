import { createHash } from "node:crypto";
import { seededRandom } from "../../src/graph/initializers.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import type { Layer, LayerWeight } from "../../src/layers/networks/layer.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import type { HostTensor, NamedTensors } from "../../src/weights/tensors.ts";

/** Weights for every layer, such that activations keep their size through the network. */
export function randomWeights(layers: readonly Layer[]): NamedTensors {
  const weights = layers.flatMap((layer) => layer.weights);
  return new Map(weights.map((weight) => [weight.name, randomWeight(weight)]));
}

export const randomUnet = (classes: number, decoder: Decoder): NamedTensors =>
  randomWeights(unetLayers({ classes, decoder }));

export const randomEncoder = (): NamedTensors => randomWeights(DEFAULT_ENCODER.layers());

function randomWeight({ role, name, shape }: LayerWeight): HostTensor {
  const random = seededRandom(7, name);
  const count = shape.reduce((product, extent) => product * extent, 1);
  // In a result of a kernel meet as many products as it has taps and input channels, and these are mostly the more.
  const spread = role === "kernel" ? Math.sqrt(6 / (count / Math.min(shape[2], shape[3]))) : 0.4;
  const centre = role === "gamma" || role === "moving_variance" ? 1 : 0;
  const data = Float32Array.from({ length: count }, () => centre + spread * (2 * random() - 1));
  return { shape, data };
}

/** What must be equal for two sets of large weights to be bit-identical, their order aside. */
export function checksums(tensors: NamedTensors): Record<string, string> {
  const names = [...tensors.keys()].sort();
  return Object.fromEntries(
    names.map((name) => {
      const { shape, data } = tensors.get(name)!;
      const sum = createHash("sha1").update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return [name, `${data.constructor.name} [${shape.join()}] ${sum.digest("base64")}`];
    }),
  );
}
