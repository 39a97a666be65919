/** @file `src/layers/unet.ts` with the small U-Net in it, for `small-unet-hooks.mjs`. */
export * from "../../src/layers/unet.ts";
export { SKIPS, unet, unetDecoder, unetEncoder } from "./small-unet.ts";
