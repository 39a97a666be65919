import { CLASS_COUNT } from "./class-names.ts";
import { DataError } from "./data-error.ts";
import { inColour, maskValues, place } from "./mask-values.ts";
import type { MaskValues } from "./mask-values.ts";
import { readMatVariable } from "./mat5.ts";
import { isPng } from "./png/chunks.ts";
import type { Oriented } from "./orientation.ts";
import { openPng, samplesOf } from "./png/read.ts";
import { decoding, readPicture } from "./read-picture.ts";
import type { Remark } from "./remarks.ts";
import type { Size } from "./resize.ts";
import { sharp } from "./sharp.ts";

/** A mask: `labels` is `[height, width]`, the class of each pixel. */
export interface Mask extends Size {
  labels: Uint8Array;
}

export interface MaskOptions {
  /** Number of classes, background included; 59 by default. */
  readonly classes?: number | undefined;
  /** Whether masks of formats that change numbers are taken: JPEG, lossy WebP, AVIF. */
  readonly lossyMasks?: boolean | undefined;
}

/** A mask whose header has been looked at. */
export interface OpenMask extends Oriented {
  /** The mask as stored, and what was decided on the way. */
  decode(): Promise<{ mask: Mask; remarks: readonly Remark[] }>;
}

/** Decodes a mask as stored: `openMask` and what it gives. */
export async function decodeMask(file: string, options: MaskOptions = {}): Promise<Mask> {
  return (await (await openMask(file, options)).decode()).mask;
}

/**
 * Opens a mask: a PNG of any kind, whose numbers `maskValues` explains, or the matrix `groundtruth` of a `.mat` file. A
 * lossless WebP stands for the RGB picture it holds. JPEG, lossy WebP and AVIF change numbers when a mask is saved, and are
 * taken only with `lossyMasks`, for the grey levels they show.
 * @throws DataError when the file cannot be read, is truncated or damaged, or is of another format; from `decode` too, and
 * there when it is in colour or holds a class that is not below `classes`.
 */
export async function openMask(
  file: string,
  { classes = CLASS_COUNT, lossyMasks = false }: MaskOptions = {},
): Promise<OpenMask> {
  const opened = /\.mat$/i.test(file)
    ? await openMatrix(file)
    : await readPicture(file, "mask", (bytes) =>
        isPng(bytes) ? openPngMask(file, bytes) : openOther(file, bytes, lossyMasks),
      );
  const { width, height } = opened;
  return {
    ...opened,
    decode: async () => {
      const { values, remarks, hint = "use" } = await decoding(file, "mask", () => opened.decode());
      const labels = new Uint8Array(width * height);
      for (let i = 0; i < labels.length; i++) {
        const value = values[i];
        if (!(value < classes && value >= 0 && value % 1 === 0)) {
          throw new DataError(
            `The mask ${file} has class ${value} at pixel ${place(i, width)}, counted from the top left: ${hint} the ` +
              `classes 0 to ${classes - 1} only.`,
          );
        }
        labels[i] = value;
      }
      return { mask: { width, height, labels }, remarks };
    },
  };
}

/** A mask whose numbers have not been read. */
interface OpenValues extends Oriented {
  decode(): Promise<MaskValues>;
}

/** The variable that holds an annotation of Clothing Co-Parsing. */
const ANNOTATION = "groundtruth";

async function openMatrix(file: string): Promise<OpenValues> {
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

async function openPngMask(file: string, bytes: Buffer): Promise<OpenValues> {
  const png = openPng(bytes);
  const { width, height } = png;
  const { orientation = 1 } = png.hasExif ? await sharp(bytes).metadata() : {};
  return { width, height, orientation, decode: async () => maskValues(file, png, await samplesOf(png)) };
}

/** Formats that change numbers, by sharp's names; WebP where it is not lossless. */
const LOSSY: Readonly<Record<string, string | undefined>> = {
  jpeg: "JPEG",
  webp: "lossy WebP",
  heif: "AVIF",
};

async function openOther(file: string, bytes: Buffer, lossyMasks: boolean): Promise<OpenValues> {
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
      values: await greyLevels(file, bytes),
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

/** The grey level of every pixel of an 8-bit picture that sharp reads and whose channels are equal. */
async function greyLevels(file: string, bytes: Buffer): Promise<Uint8Array> {
  const { data, info } = await sharp(bytes, { failOn: "error", ignoreIcc: true })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const values = new Uint8Array(info.width * info.height);
  for (let i = 0; i < values.length; i++) {
    values[i] = data[3 * i];
    if (data[3 * i + 1] === values[i] && data[3 * i + 2] === values[i]) continue;
    throw inColour(file, data.subarray(3 * i, 3 * i + 3), place(i, info.width));
  }
  return values;
}
