import { classColour } from "../../masks/palette.ts";
import type { Size } from "../../data/resize.ts";

/** Alpha of a class inside its area and along its edge; of the classes that are not the one looked at. */
const INSIDE = 190;
const EDGE = 255;
const ASIDE = 36;

const COLOURS = Array.from({ length: 256 }, (_, label) => Number.parseInt(classColour(label).slice(1), 16));

/** What a picture of labels shows. */
export interface TintOptions extends Size {
  /** `[height, width]`, the class of each pixel. */
  readonly labels: Uint8Array;
  /** The class that stands out, if one does. */
  readonly highlight: number | null;
  /** The class that is left clear unless it stands out, if one is; see `backgroundOf`. */
  readonly background: number | null;
}

/** RGBA in the colours of the classes, to lie over a photo of the same size. */
export function tint(options: TintOptions): Uint8ClampedArray<ArrayBuffer> {
  const { labels, width, height, highlight, background } = options;
  const rgba = new Uint8ClampedArray(4 * width * height);
  const edge = Math.max(1, Math.round(Math.max(width, height) / 700));
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const label = labels[pixel];
      if (label === background && highlight !== label) continue;
      const inner =
        (x < edge || labels[pixel - edge] === label) &&
        (x >= width - edge || labels[pixel + edge] === label) &&
        (y < edge || labels[pixel - edge * width] === label) &&
        (y >= height - edge || labels[pixel + edge * width] === label);
      const colour = COLOURS[label];
      rgba[4 * pixel] = colour >> 16;
      rgba[4 * pixel + 1] = (colour >> 8) & 0xff;
      rgba[4 * pixel + 2] = colour & 0xff;
      rgba[4 * pixel + 3] = highlight !== null && label !== highlight ? ASIDE : inner ? INSIDE : EDGE;
    }
  }
  return rgba;
}
