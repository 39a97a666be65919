/** @file `src/layers/unet.ts` with the small U-Net in it, for `stand-ins.mjs`. */
import * as real from "../../src/layers/unet.ts";
import { smallUnetOf } from "./small-unet.ts";

export * from "../../src/layers/unet.ts";
export const { skipsOf, unet, unetDecoder, unetEncoder } = smallUnetOf(real);
