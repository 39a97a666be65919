import { DataError } from "./data-error.ts";
import { PALETTE } from "./png/header.ts";
import type { Png, Samples } from "./png/read.ts";
import type { Remark } from "./remarks.ts";

/** The numbers of a mask's pixels, row by row. */
export interface MaskValues {
  readonly values: ArrayLike<number>;
  readonly remarks: readonly Remark[];
  /** How a wrong number is mended, where there is more to say than which classes to use; ends before "the classes". */
  readonly hint?: string;
}

/**
 * The number that each pixel of a PNG stands for, 16 bits where it has so many:
 *
 * - of a grey picture, with alpha or without, the grey level, unstretched;
 * - of RGB and RGBA, the common value of the three channels;
 * - of a palette with colours in it, the index: such palettes are for people to tell the classes apart (as PASCAL VOC's);
 * - of a palette of greys only, the grey. Where grey i has index i the two are the same. Where not, the file does not say
 *   which is meant; programs that save a grey picture with a palette to make it small (Pillow's `ADAPTIVE`, sharp's
 *   `palette: true`) number its greys anew, and what a viewer shows is what was drawn.
 *
 * Alpha is passed over, as OpenCV and Pillow do when they read a picture as grey.
 * @throws DataError when three channels are not equal.
 */
export function maskValues(file: string, png: Png, samples: Samples): MaskValues {
  const { palette } = png;
  const transparent = isTransparent(png, samples);
  const seen = palette && greysOf(palette);
  const values = seen
    ? lookUp(file, seen, samples, png)
    : png.colourType === PALETTE
      ? samples
      : greys(file, png, samples);
  const remarks: Remark[] = [];
  if (seen?.some((grey, index) => grey !== index)) remarks.push("greyPalette");
  if (transparent !== undefined) {
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0 || !transparent(i)) continue;
      remarks.push("transparent");
      break;
    }
  }
  return {
    values,
    remarks,
    ...(remarks.includes("greyPalette") && {
      hint: "its palette is of greys, which were read as a viewer shows them, so save it as an 8-bit grey PNG with",
    }),
  };
}

/**
 * The colour `0xRRGGBB` of each pixel as a viewer shows it, profiles and transparency passed over: of a palette its entry, of
 * grey three equal channels, of more than 8 bits the upper 8.
 * @throws DataError when a pixel's index is beyond the palette.
 */
export function maskColours(file: string, png: Png, samples: Samples): MaskValues {
  const { palette, channels, depth, width } = png;
  const values = new Uint32Array(samples.length / channels);
  const level = (sample: number): number =>
    depth === 16 ? sample >> 8 : depth === 8 ? sample : Math.round((sample * 255) / (2 ** depth - 1));
  for (let i = 0; i < values.length; i++) {
    const first = samples[i * channels];
    if (palette !== undefined) {
      if (3 * first >= palette.length)
        throw beyondPalette(file, first, palette.length / 3, place(i, width), "colours");
      values[i] = palette.readUIntBE(3 * first, 3);
    } else if (channels < 3) values[i] = level(first) * 0x010101;
    else
      values[i] =
        (level(first) << 16) | (level(samples[i * channels + 1]) << 8) | level(samples[i * channels + 2]);
  }
  return { values, remarks: [] };
}

const beyondPalette = (
  file: string,
  index: number,
  entries: number,
  pixel: string,
  noun: string,
): DataError =>
  new DataError(
    `The mask ${file} has index ${index} at pixel ${pixel} and a palette of ${entries} ${noun}: save it as an 8-bit grey PNG ` +
      `that holds class numbers.`,
  );

/** The levels of a palette of nothing but greys. */
function greysOf(palette: Buffer): Uint8Array | undefined {
  const greys = new Uint8Array(palette.length / 3);
  for (let i = 0; i < greys.length; i++) {
    greys[i] = palette[3 * i];
    if (palette[3 * i + 1] !== greys[i] || palette[3 * i + 2] !== greys[i]) return undefined;
  }
  return greys;
}

function lookUp(file: string, greys: Uint8Array, indices: Samples, { width }: Png): Samples {
  const values = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] >= greys.length) {
      throw beyondPalette(file, indices[i], greys.length, place(i, width), "greys");
    }
    values[i] = greys[indices[i]];
  }
  return values;
}

function greys(file: string, { channels, width }: Png, samples: Samples): Samples {
  if (channels === 1) return samples;
  const values = samples.slice(0, samples.length / channels);
  for (let i = 0, at = 0; i < values.length; i++, at += channels) {
    values[i] = samples[at];
    if (channels < 3 || (samples[at + 1] === samples[at] && samples[at + 2] === samples[at])) continue;
    throw inColour(file, samples.subarray(at, at + 3), place(i, width));
  }
  return values;
}

/** @param pixel where the colour is, as `place` says it. */
export function inColour(
  file: string,
  [red, green, blue]: ArrayLike<number> & Iterable<number>,
  pixel: string,
): DataError {
  return new DataError(
    `The mask ${file} is in colour: red ${red}, green ${green}, blue ${blue} at pixel ${pixel}, counted from the top left, ` +
      `and nothing says which class a colour is; say it with --label-map, a file of lines such as #ff0000,hat, or save it as an ` +
      `8-bit grey or palette PNG that holds class numbers.`,
  );
}

/** Column and row of pixel `i`. */
export const place = (i: number, width: number): string => `(${i % width}, ${Math.floor(i / width)})`;

/** Tells whether pixel i is anything but opaque; undefined where all are. */
function isTransparent(png: Png, samples: Samples): ((pixel: number) => boolean) | undefined {
  const { channels, depth, transparency, colourType } = png;
  if (channels === 2 || channels === 4) {
    const opaque = 2 ** depth - 1;
    return (pixel) => samples[pixel * channels + channels - 1] !== opaque;
  }
  if (transparency === undefined) return undefined;
  if (colourType === PALETTE) return (pixel) => (transparency[samples[pixel]] ?? 255) !== 255;
  if (transparency.length !== 2 * channels) return undefined;
  const key = Array.from({ length: channels }, (_, c) => transparency.readUInt16BE(2 * c));
  return (pixel) => key.every((value, c) => samples[pixel * channels + c] === value);
}
