import { readPicture } from "./read-picture.ts";
import { sharp } from "./sharp.ts";
import type { Size } from "./resize.ts";

/** A photo: `pixels` is `[height, width, 3]`, 8-bit sRGB. */
export interface Photo extends Size {
  pixels: Uint8Array;
}

/**
 * Decodes a photo off the main thread (libuv's pool). Grey, palette, 16-bit and CMYK pictures become 8-bit sRGB, an alpha
 * channel is dropped as `tf.io.decode_image(channels=3)` does, and EXIF orientation is applied.
 * @throws DataError when the file cannot be read or is truncated or damaged.
 */
export async function decodePhoto(file: string): Promise<Photo> {
  return readPicture(file, "photo", async (bytes) => {
    const { data, info } = await sharp(bytes, { failOn: "error" })
      .autoOrient()
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: data };
  });
}
