import { labelPixels } from "./classes/label-pixels.ts";
import { plainLabelling } from "./classes/labelling.ts";
import { DataError } from "./data-error.ts";
import { MOST_CLASSES } from "./dataset.ts";
import { inColour, maskColours, maskValues, place } from "./mask-values.ts";
import type { MaskValues } from "./mask-values.ts";
import { readMatVariable } from "./mat5.ts";
import { isPng } from "./png/chunks.ts";
import type { Oriented } from "./orientation.ts";
import { openPng, samplesOf } from "./png/read.ts";
import { decoding, openPicture, readPictureFile } from "./read-picture.ts";
import type { Size } from "./resize.ts";
import { sharp } from "./sharp.ts";

/** A mask: `labels` is `[height, width]`, the class of each pixel. */
export interface Mask extends Size {
  labels: Uint8Array;
}

export interface MaskOptions {
  /** Whether masks of formats that change numbers are taken: JPEG, lossy WebP, AVIF. */
  readonly lossyMasks?: boolean | undefined;
  /** Whether a pixel stands for its colour `0xRRGGBB`, as a viewer shows it, and not for a number. */
  readonly colours?: boolean | undefined;
}

/** A mask whose header has been looked at. */
export interface OpenMask extends Oriented {
  /** The numbers of the mask as stored, row by row, before anybody says which class each is. */
  decode(): Promise<MaskValues>;
}

/** Decodes a mask whose numbers are classes, as stored. */
export async function decodeMask(file: string, options: MaskOptions = {}): Promise<Mask> {
  const mask = await openMask(file, options);
  const { width, height } = mask;
  const labels = labelPixels({ ...(await mask.decode()), width, file }, plainLabelling(MOST_CLASSES));
  return { width, height, labels };
}

/**
 * Opens a mask: a PNG of any kind, whose numbers `maskValues` explains, or the matrix `groundtruth` of a `.mat` file. A
 * lossless WebP stands for the RGB picture it holds. JPEG, lossy WebP and AVIF change numbers when a mask is saved, and are
 * taken only with `lossyMasks`, for the grey levels they show.
 * @throws DataError when the file cannot be read, is truncated or damaged, or is of another format; from `decode` too, and
 * there when it is in colour and numbers are wanted.
 */
export async function openMask(
  file: string,
  { lossyMasks = false, colours = false }: MaskOptions = {},
): Promise<OpenMask> {
  const opened = /\.mat$/i.test(file)
    ? await openMatrix(file)
    : await openPicture(await readPictureFile(file, "mask"), file, "mask", (bytes) =>
        isPng(bytes) ? openPngMask(file, bytes, colours) : openOther(file, bytes, lossyMasks, colours),
      );
  return { ...opened, decode: () => decoding(file, "mask", () => opened.decode()) };
}

/** The variable that holds an annotation of Clothing Co-Parsing. */
const ANNOTATION = "groundtruth";

async function openMatrix(file: string): Promise<OpenMask> {
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
  return { width, height, orientation: 1, decode: () => Promise.resolve({ values, remarks: [] }) };
}

async function openPngMask(file: string, bytes: Buffer, colours: boolean): Promise<OpenMask> {
  const png = openPng(bytes);
  const { width, height } = png;
  const { orientation = 1 } = png.hasExif ? await sharp(bytes).metadata() : {};
  return {
    width,
    height,
    orientation,
    decode: async () => (colours ? maskColours : maskValues)(file, png, await samplesOf(png)),
  };
}

/** Formats that change numbers, by sharp's names; WebP where it is not lossless. */
const LOSSY: Readonly<Record<string, string | undefined>> = {
  jpeg: "JPEG",
  webp: "lossy WebP",
  heif: "AVIF",
};

async function openOther(
  file: string,
  bytes: Buffer,
  lossyMasks: boolean,
  colours: boolean,
): Promise<OpenMask> {
  const { format, width, height, orientation = 1 } = await sharp(bytes).metadata();
  const lossless = format === "webp" && isLosslessWebp(bytes);
  const lossy = lossless ? undefined : LOSSY[format];
  if (!lossless && lossy === undefined) {
    throw new DataError(
      `The mask ${file} is a ${format.toUpperCase()} file: save it as a PNG that holds class numbers.`,
    );
  }
  if (lossy !== undefined && !lossyMasks) {
    throw new DataError(
      `The mask ${file} is of ${lossy}, which changes numbers where it compresses, so that classes appear that nobody drew: ` +
        `make a PNG anew from where it was drawn, or say --lossy-masks (the setting lossyMasks) to train on it as it is.`,
    );
  }
  return {
    width,
    height,
    orientation,
    decode: async () => ({
      values: await pixelsOf(file, bytes, colours),
      ...(lossy === undefined
        ? { remarks: [] }
        : { remarks: ["lossy"], hint: `save masks as PNG, since ${lossy} changes their numbers, with` }),
    }),
  };
}

/** Whether a WebP's first frame is lossless (RFC 9649): of chunk `VP8L`, in a file of its own or an extended one. */
function isLosslessWebp(bytes: Buffer): boolean {
  for (let at = 12; at + 8 <= bytes.length; at += 8 + 2 * Math.ceil(bytes.readUInt32LE(at + 4) / 2)) {
    const type = bytes.toString("latin1", at, at + 4);
    if (type === "VP8L") return true;
    if (type === "VP8 " || type === "ANMF") return false;
  }
  return false;
}

/** The colour, or the level of equal channels, of every pixel of an 8-bit picture that sharp reads. */
async function pixelsOf(file: string, bytes: Buffer, colours: boolean): Promise<ArrayLike<number>> {
  const { data, info } = await sharp(bytes, { failOn: "error", ignoreIcc: true })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const values = new (colours ? Uint32Array : Uint8Array)(info.width * info.height);
  for (let i = 0; i < values.length; i++) {
    const [red, green, blue] = [data[3 * i], data[3 * i + 1], data[3 * i + 2]];
    if (colours) values[i] = (red << 16) | (green << 8) | blue;
    else if (red === green && red === blue) values[i] = red;
    else throw inColour(file, [red, green, blue], place(i, info.width));
  }
  return values;
}
