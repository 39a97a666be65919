/** What the chunk `IHDR` of a PNG says (PNG specification, third edition, §11.2.1). */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** `GREY`, `RGB`, `PALETTE`, `GREY_ALPHA` or `RGBA`. */
  readonly colourType: number;
  /** Samples of a pixel. */
  readonly channels: number;
  /** Whether the pixels lie in the seven passes of Adam7. */
  readonly interlaced: boolean;
}

export const GREY = 0;
export const RGB = 2;
export const PALETTE = 3;
export const GREY_ALPHA = 4;
export const RGBA = 6;

/** Channels and allowed depths by colour type. */
const KINDS: Readonly<Record<number, { channels: number; depths: readonly number[] } | undefined>> = {
  [GREY]: { channels: 1, depths: [1, 2, 4, 8, 16] },
  [RGB]: { channels: 3, depths: [8, 16] },
  [PALETTE]: { channels: 1, depths: [1, 2, 4, 8] },
  [GREY_ALPHA]: { channels: 2, depths: [8, 16] },
  [RGBA]: { channels: 4, depths: [8, 16] },
};

/** As many pixels as sharp takes of a photo: 16383 × 16383. */
const MOST_PIXELS = 0x3fff ** 2;

/**
 * @param data of the chunk `IHDR`.
 * @throws Error of a few words for what no PNG may say, and for more pixels than a photo has.
 */
export function headerOf(data: Buffer): PngHeader {
  if (data.length !== 13) throw new Error(`its header has ${data.length} bytes, not 13`);
  const [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
  const [depth, colourType, compression, filter, interlace] = data.subarray(8);
  if (width === 0 || height === 0 || width * height > MOST_PIXELS) {
    throw new Error(`its header claims ${width}×${height} pixels, where 1 to ${MOST_PIXELS} are read`);
  }
  const kind = KINDS[colourType];
  if (kind?.depths.includes(depth) !== true || compression !== 0 || filter !== 0 || interlace > 1) {
    throw new Error(
      `its header claims colour type ${colourType} of ${depth} bits, compression ${compression}, filter ${filter}, ` +
        `interlacing ${interlace}, which no PNG has`,
    );
  }
  return { width, height, depth, colourType, channels: kind.channels, interlaced: interlace === 1 };
}
