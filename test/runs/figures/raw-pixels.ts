import sharp from "sharp";

/** Reads pixels of a PNG as `#rrggbb`. */
export async function rawPixels(png: Buffer): Promise<(x: number, y: number) => string> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => {
    const at = (y * info.width + x) * info.channels;
    return `#${data.subarray(at, at + 3).toString("hex")}`;
  };
}

/** The colours of a picture, a look every few pixels. */
export async function colours(png: Buffer): Promise<Set<string>> {
  const pixel = await rawPixels(png);
  const { width, height } = await sharp(png).metadata();
  const seen = new Set<string>();
  for (let y = 0; y < height; y += 4) for (let x = 0; x < width; x += 4) seen.add(pixel(x, y));
  return seen;
}
