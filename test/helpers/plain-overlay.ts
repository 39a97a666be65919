/**
 * @file What stands in for `src/runs/figures/overlay.ts` where thousands of photos are labelled: the photo at its own size with its classes
 * in colour, without the enlargement and the legend, which take a tenth of a second each.
 */
import { sharp } from "../../src/data/sharp.ts";
import { paintMask } from "../../src/masks/palette.ts";
import type * as overlay from "../../src/runs/figures/overlay.ts";

export const overlayFigure: typeof overlay.overlayFigure = ({ photo: { width, height, rgb }, mask }) => {
  const colours = paintMask(mask);
  const mixed = Uint8Array.from(colours, (colour, i) => (colour + rgb[i]) >> 1);
  return sharp(mixed, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
};
