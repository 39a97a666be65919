import sharp from "sharp";

/** Reads pixels of a PNG as `#rrggbb`. */
export async function rawPixels(png: Buffer): Promise<(x: number, y: number) => string> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => {
    const at = (y * info.width + x) * info.channels;
    return `#${data.subarray(at, at + 3).toString("hex")}`;
  };
}
