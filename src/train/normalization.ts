import type { TrainConfig } from "../config/index.ts";
import type { Normalization } from "../data/normalize.ts";
import type { Preprocessing } from "../layers/networks/encoder.ts";
import { encoderNamed } from "../layers/networks/encoders.ts";

/** What `preprocess_input` of `keras.applications` does, by its mode. */
const OF_KERAS: Readonly<Record<Preprocessing, Normalization>> = {
  torch: "imagenet",
  caffe: "caffe",
  tf: "tf",
  inside: "bytes",
};

/** What a configuration makes of photos. */
export const normalizationOf = ({
  normalization,
  encoder,
}: Pick<TrainConfig, "normalization" | "encoder">): Normalization =>
  normalization === "keras" ? OF_KERAS[encoderNamed(encoder).preprocessing] : normalization;
