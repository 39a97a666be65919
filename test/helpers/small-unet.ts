/**
 * @file What stands in for `src/layers/unet.ts` where the network itself is not the point: a U-Net of the same kinds of layers
 * under the same names, two layers a dense block and a hundredth of the channels (see `small-network.ts`).
 */
import type { Encoder } from "../../src/layers/networks/encoder.ts";
import { ENCODERS } from "../../src/layers/networks/encoders.ts";
import { denseNet } from "../../src/layers/networks/densenet.ts";
import type * as unetModule from "../../src/layers/unet.ts";

const small = {
  encoder: denseNet({ name: "densenet121", title: "DenseNet121", blocks: [2, 2, 2, 2], growth: 4 }),
  decoderFilters: [16, 8, 8, 8],
};

type Replaced = Pick<typeof unetModule, "skipsOf" | "unet" | "unetDecoder" | "unetEncoder">;

/** In place of any encoder there is; one that a test has made stays. */
const encoderFor = (encoder: Encoder | undefined): Encoder =>
  encoder === undefined || ENCODERS.includes(encoder) ? small.encoder : encoder;

/** @param real the module itself */
export const smallUnetOf = (real: typeof unetModule): Replaced => {
  const made = <Options extends { encoder?: Encoder }>(options: Options): Options & typeof small => ({
    ...options,
    ...small,
    encoder: encoderFor(options.encoder),
  });
  return {
    skipsOf: (encoder) => real.skipsOf(encoderFor(encoder)),
    unet: (image, options) => real.unet(image, made(options)),
    unetEncoder: (image, options) => real.unetEncoder(image, made(options)),
    unetDecoder: (skips, options) => real.unetDecoder(skips, made(options)),
  };
};
