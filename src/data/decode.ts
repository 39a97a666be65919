import { readFile } from "node:fs/promises";
import { CLASS_COUNT } from "./class-names.ts";
import { DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
import { readMatVariable } from "./mat5.ts";
import type { Numbers } from "./mat5-elements.ts";
import type { Pair } from "./pairs.ts";
import { pngHeader, readPngValues } from "./png-values.ts";
import type { PngValues } from "./png-values.ts";
import { sharp } from "./sharp.ts";

/** A photo: `pixels` is `[height, width, 3]`, 8-bit sRGB. */
export interface Photo {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** A mask: `labels` is `[height, width]`, the class of each pixel. */
export interface Mask {
  width: number;
  height: number;
  labels: Uint8Array;
}

/**
 * Decodes a PNG or JPEG photo off the main thread (libuv's pool). Grey, palette, 16-bit and CMYK pictures become
 * 8-bit sRGB, an alpha channel is dropped as `tf.io.decode_image(channels=3)` does, and EXIF orientation is
 * applied.
 * @throws DataError when the file cannot be read or is truncated or damaged.
 */
export async function decodePhoto(file: string): Promise<Photo> {
  const bytes = await read(file, "photo");
  try {
    const { data, info } = await sharp(bytes, { failOn: "error" })
      .autoOrient()
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: data };
  } catch (error) {
    throw damaged(file, "photo", error);
  }
}

/**
 * Decodes a mask off the main thread. The class of a pixel is its grey level; the index, not the colour, in a
 * palette PNG; the common value of the three channels in an RGB picture (alpha is dropped); the number in the matrix
 * `groundtruth` of a `.mat` file. No colour profile is applied. A JPEG is taken, though its compression may have
 * changed the numbers.
 * @throws DataError when the file cannot be read or is truncated or damaged, is in colour, or holds a class that
 * is not below `classes`.
 */
export async function decodeMask(file: string, classes: number = CLASS_COUNT): Promise<Mask> {
  const { width, height, values, hint = "use" } = await (/\.mat$/i.test(file) ? matrix(file) : picture(file));
  const wrong = (values as Float64Array).findIndex(
    (value) => !(value < classes && value >= 0 && value % 1 === 0),
  );
  if (wrong >= 0) {
    throw new DataError(
      `The mask ${file} has class ${values[wrong]} at pixel (${wrong % width}, ${Math.floor(wrong / width)}), ` +
        `counted from the top left: ${hint} the classes 0 to ${classes - 1} only.`,
    );
  }
  return { width, height, labels: new Uint8Array(values) };
}

/** The numbers of a mask, row by row; `hint` says how to mend a wrong one. */
interface MaskValues {
  width: number;
  height: number;
  values: Numbers;
  hint?: string;
}

/** The variable that holds an annotation of Clothing Co-Parsing. */
const ANNOTATION = "groundtruth";

async function matrix(file: string): Promise<MaskValues> {
  const array = await readMatVariable(file, ANNOTATION);
  if (array.kind !== "numbers" || array.dims.length !== 2 || array.values.length === 0) {
    throw new DataError(`The mask ${file} has no matrix of class numbers in ${ANNOTATION}: put one there.`);
  }
  const [height, width] = array.dims;
  const columns = array.values;
  const values = columns.slice();
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) values[to++] = columns[x * height + y];
  }
  return { width, height, values };
}

async function picture(file: string): Promise<MaskValues> {
  const bytes = await read(file, "mask");
  const header = pngHeader(bytes);
  const exact = header?.colourType === 3 || (header?.colourType === 0 && header.depth !== 8);
  const values = await (exact ? readPngValues(bytes) : greyLevels(bytes, file)).catch((error: unknown) => {
    throw error instanceof DataError ? error : damaged(file, "mask", error);
  });
  if (header !== undefined) return values;
  return { ...values, hint: "save masks as PNG, since JPEG changes their numbers, with" };
}

/**
 * Decodes a photo and its mask.
 * @throws DataError as `decodePhoto` and `decodeMask` do, and when the two differ in size.
 */
export async function decodePair(pair: Pair, classes?: number): Promise<{ photo: Photo; mask: Mask }> {
  const [photo, mask] = await settled(decodePhoto(pair.image), decodeMask(pair.mask, classes));
  if (photo.width !== mask.width || photo.height !== mask.height) {
    throw new DataError(
      `The mask ${pair.mask} is ${mask.width}×${mask.height} pixels and its photo ${photo.width}×${photo.height}` +
        `: give both the same size.`,
    );
  }
  return { photo, mask };
}

/** The grey level of every pixel of any picture that sharp reads and whose channels are equal. */
async function greyLevels(bytes: Buffer, file: string): Promise<PngValues> {
  const { data, info } = await sharp(bytes, { failOn: "error", ignoreIcc: true })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(info.width * info.height);
  for (let i = 0; i < values.length; i++) {
    const [red, green, blue] = [data[3 * i], data[3 * i + 1], data[3 * i + 2]];
    if (red !== green || red !== blue) {
      throw new DataError(
        `The mask ${file} is in colour: red ${red}, green ${green}, blue ${blue} at pixel (${i % info.width}, ` +
          `${Math.floor(i / info.width)}); save it as an 8-bit grey or palette PNG that holds class numbers.`,
      );
    }
    values[i] = red;
  }
  return { width: info.width, height: info.height, values };
}

async function read(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new DataError(`The ${what} ${file} cannot be read (${messageOf(error)}): make it a readable file.`);
  }
}

function damaged(file: string, what: string, error: unknown): DataError {
  return new DataError(
    `The ${what} ${file} cannot be decoded (${messageOf(error)}): it is truncated, damaged or of a kind not ` +
      `supported; replace it, or remove it ${what === "mask" ? "with its photo" : "(and its mask, where it has one)"}.`,
  );
}

/** Both results, once both have ended, so that no work goes on behind a failure; else the first failure. */
async function settled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
