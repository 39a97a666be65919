/**
 * A colour for each of 59 classes: background near black, skin and hair close to life, and the others, the most frequent
 * first, each as far as can be from all before it (distance in OKLab, hue and chroma weighted by 1.6; chroma at most 0.2).
 */
export const PALETTE = [
  ...[
    "#14171c",
    "#5a416e",
    "#5f23aa",
    "#ffc8f0",
    "#007882",
    "#0ad2dc",
    "#0078b9",
    "#7d967d",
    "#00beff",
    "#00af87",
  ],
  ...[
    "#9b73ff",
    "#cdb964",
    "#4146c8",
    "#1e87ff",
    "#d75fcd",
    "#ff9b7d",
    "#6e9b46",
    "#008255",
    "#e6f09b",
    "#7b4a2a",
  ],
  ...[
    "#5f9bcd",
    "#375a46",
    "#1ed278",
    "#8296fa",
    "#af000a",
    "#aa9114",
    "#963ca5",
    "#91cd87",
    "#6469c3",
    "#a04b64",
  ],
  ...[
    "#2d5573",
    "#00aa32",
    "#696e23",
    "#91739b",
    "#c86e9b",
    "#005f00",
    "#a0fae1",
    "#fa9100",
    "#beff5f",
    "#fa5a41",
  ],
  ...[
    "#00ffaf",
    "#f2c7a5",
    "#b9b4ff",
    "#fa64af",
    "#8cc800",
    "#d73c78",
    "#ff91b4",
    "#fa9bff",
    "#91005f",
    "#c3826e",
  ],
  ...["#0aa0aa", "#004b9b", "#a5cddc", "#8c735a", "#b95500", "#ffcd00", "#c8a5b9", "#b482d7", "#872332"],
] as const;

/** `#rrggbb` of a class. Beyond the palette its colours, background's left out, come again. */
export const classColour = (label: number): string =>
  PALETTE[label < PALETTE.length ? label : 1 + ((label - 1) % (PALETTE.length - 1))];

/** Colours a mask: three bytes for each of its pixels. */
export function paintMask(mask: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(mask.length * 3);
  const colours = Array.from({ length: 256 }, (_, label) => Number.parseInt(classColour(label).slice(1), 16));
  mask.forEach((label, pixel) => {
    const colour = colours[label];
    rgb[3 * pixel] = colour >> 16;
    rgb[3 * pixel + 1] = (colour >> 8) & 0xff;
    rgb[3 * pixel + 2] = colour & 0xff;
  });
  return rgb;
}
