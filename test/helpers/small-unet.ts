/**
 * @file What stands in for `src/layers/unet.ts` where the network itself is not the point: a U-Net of the same kinds of layers
 * under the same names, two layers a dense block and a hundredth of the channels (see `small-network.ts`).
 */
import { denseNet } from "../../src/layers/networks/densenet.ts";
import type * as unetModule from "../../src/layers/unet.ts";

const small = {
  encoder: denseNet({ name: "densenet121", title: "DenseNet121", blocks: [2, 2, 2, 2], growth: 4 }),
  decoderFilters: [16, 8, 8, 8],
};

type Replaced = Pick<typeof unetModule, "skipsOf" | "unet" | "unetDecoder" | "unetEncoder">;

/** @param real the module itself */
export const smallUnetOf = (real: typeof unetModule): Replaced => ({
  skipsOf: () => real.skipsOf(small.encoder),
  unet: (image, options) => real.unet(image, { ...options, ...small }),
  unetEncoder: (image, options) => real.unetEncoder(image, { ...options, ...small }),
  unetDecoder: (skips, options) => real.unetDecoder(skips, { ...options, ...small }),
});
