import { glorotUniform, ones, seededRandom, zeros } from "../../../src/graph/initializers.ts";
import type { Decoder } from "../../../src/layers/networks/decoder.ts";
import type { WeightRole } from "../../../src/layers/networks/layer.ts";
import { unetLayers } from "../../../src/layers/networks/unet.ts";
import type { NamedTensors } from "../../../src/weights/tensors.ts";

const VALUES: Record<WeightRole, typeof zeros> = {
  kernel: glorotUniform,
  depthwise_kernel: glorotUniform,
  pointwise_kernel: glorotUniform,
  bias: zeros,
  gamma: ones,
  beta: zeros,
  moving_mean: zeros,
  moving_variance: ones,
};

/** The weights of a U-Net that was never trained, made without a GPU. */
export function untrainedWeights(classes: number, decoder: Decoder = "transpose"): NamedTensors {
  const weights = unetLayers({ classes, decoder }).flatMap((layer) => layer.weights);
  return new Map(
    weights.map(({ name, role, shape }) => {
      const random = seededRandom(5, name);
      // The last layer's values would be too small for one class to lead here and another there.
      const data =
        name === "head/kernel" ? zeros(shape, random).map(() => random() - 0.5) : VALUES[role](shape, random);
      return [name, { shape, data }];
    }),
  );
}
