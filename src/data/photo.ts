import type { Sharp } from "sharp";
import { DataError } from "./data-error.ts";
import { uprightSize } from "./orientation.ts";
import type { Oriented } from "./orientation.ts";
import { decoding, openPicture, readPictureFile } from "./read-picture.ts";
import type { Remark } from "./remarks.ts";
import type { Size } from "./resize.ts";
import { sharp } from "./sharp.ts";

/** A photo: `pixels` is `[height, width, 3]`, 8-bit sRGB. */
export interface Photo extends Size {
  pixels: Uint8Array;
}

/** A photo whose header has been looked at. */
export interface OpenPhoto extends Oriented {
  /** The photo, upright, and what was decided on the way. */
  decode(): Promise<{ photo: Photo; remarks: readonly Remark[] }>;
}

/** Decodes a photo's file: `openPhotoFile` and what it gives. */
export async function decodePhoto(file: string): Promise<Photo> {
  return (await (await openPhotoFile(file)).decode()).photo;
}

/**
 * Opens the file of a photo.
 *
 * @throws DataError when it cannot be read, and as {@link openPhoto} does.
 */
export async function openPhotoFile(file: string): Promise<OpenPhoto> {
  return openPhoto(await readPictureFile(file, "photo"), file);
}

/**
 * Opens an encoded photo, to be decoded off the main thread (libuv's pool). Grey, palette and CMYK pictures become 8-bit sRGB, EXIF
 * orientation is applied, and of several pages or frames the first is taken. An alpha channel is dropped, as
 * `tf.io.decode_image(channels=3)` does: a transparent pixel has the colour that is stored there.
 *
 * Of 16 bits the upper 8 are taken. A PNG or TIFF of 16 bits with nothing above 4095 is taken for one of 12, as cameras and
 * microscopes store them, and scaled. Floating-point numbers count from black, 0, to white, 1, without gamma.
 * @param file what messages call it: its path, or where else the bytes came from
 * @throws DataError when it is truncated or damaged; from `decode` too, and there when it holds whole
 * numbers of more than 16 bits or with a sign, or floating-point ones that are not within 0 and 1.
 */
export async function openPhoto(encoded: Buffer, file: string): Promise<OpenPhoto> {
  return openPicture(encoded, file, "photo", async (bytes) => {
    const { width, height, orientation = 1, format, depth, space } = await sharp(bytes).metadata();
    const picture = (): Sharp => sharp(bytes, { failOn: "error" }).autoOrient();
    const decode = async (): Promise<{ pixels: Uint8Array; remarks?: readonly Remark[] }> => {
      // L*a*b* is unpacked to floating-point numbers of other ranges, which sharp knows.
      if (depth === "uchar" || space === "lab" || space === "labs")
        return { pixels: await bytesOf(picture()) };
      if (depth === "ushort") return wordsOf(picture(), format === "png" || format === "tiff");
      if (depth === "float" && (space === "scrgb" || space === "b-w")) {
        return { pixels: await floatsOf(file, picture(), space) };
      }
      throw new DataError(
        `The photo ${file} holds numbers of a kind that is not read here (${depth}, ${space}): save it with 8 or 16 bits ` +
          `a channel.`,
      );
    };
    const upright = uprightSize({ width, height, orientation });
    return {
      ...{ width, height, orientation },
      decode: async () => {
        const { pixels, remarks = [] } = await decoding(file, "photo", decode);
        return { photo: { ...upright, pixels }, remarks };
      },
    };
  });
}

const bytesOf = (picture: Sharp): Promise<Buffer> =>
  picture.toColourspace("srgb").removeAlpha().raw().toBuffer();

const MOST_OF_12_BITS = 4095;

async function wordsOf(
  picture: Sharp,
  mayBe12Bits: boolean,
): Promise<{ pixels: Uint8Array; remarks: readonly Remark[] }> {
  const data = await picture.toColourspace("rgb16").removeAlpha().raw({ depth: "ushort" }).toBuffer();
  const words = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const has12Bits = mayBe12Bits && words.every((word) => word <= MOST_OF_12_BITS);
  const shift = has12Bits ? 4 : 8;
  return {
    pixels: Uint8Array.from(words, (word) => word >> shift),
    remarks: has12Bits ? ["twelveBits"] : [],
  };
}

async function floatsOf(file: string, picture: Sharp, space: "scrgb" | "b-w"): Promise<Uint8Array> {
  const data = await picture.toColourspace(space).removeAlpha().raw({ depth: "float" }).toBuffer();
  const floats = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  const wrong = floats.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) {
    throw new DataError(
      `The photo ${file} holds floating-point numbers, ${wrong} among them, where only those from 0, black, to 1, white, are ` +
        `read: scale them, or save it with 8 or 16 bits a channel.`,
    );
  }
  if (space === "scrgb") return Uint8Array.from(floats, (value) => Math.round(255 * value));
  return Uint8Array.from({ length: 3 * floats.length }, (_, i) =>
    Math.round(255 * floats[Math.floor(i / 3)]),
  );
}
