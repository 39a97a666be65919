/** A photo as the page has it: `pixels` is `[height, width, 4]`, 8-bit sRGB with an alpha that nobody looks at. */
export interface PagePhoto {
  /** Its file's name without the extension. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray;
}

/** Larger ones do not fit into the memory of every browser. */
const MOST_PIXELS = 100e6;

/** A file that is no photo; the message is one sentence. */
export class PhotoError extends Error {
  override readonly name = "PhotoError";
}

/**
 * Decodes a photo: orientation from EXIF and colour profile applied, of an animation the first frame.
 *
 * @throws PhotoError when the browser cannot decode it or it is too large.
 */
export async function decodePhoto(file: Blob, fileName: string): Promise<PagePhoto> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    throw new PhotoError(
      `${fileName} is not a picture that this browser can decode: choose a JPEG, PNG, WebP or AVIF.`,
    );
  });
  try {
    return photoFrom(bitmap, bitmap.width, bitmap.height, fileName.replace(/\.[^.]*$/, "") || "photo");
  } finally {
    bitmap.close();
  }
}

/** @throws PhotoError when it is too large. */
export function photoFrom(source: CanvasImageSource, width: number, height: number, name: string): PagePhoto {
  if (width * height > MOST_PIXELS) {
    throw new PhotoError(
      `${name} has ${Math.round((width * height) / 1e6)} million pixels: choose one of at most ${MOST_PIXELS / 1e6} million.`,
    );
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(source, 0, 0, width, height);
  return { name, width, height, pixels: context.getImageData(0, 0, width, height).data };
}
