/** Width and height in pixels. */
export interface Size {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
}

/** Height and width in pixels; a number is that of a square. */
export type ImageSize = number | Size;

export const toSize = (size: ImageSize): Size =>
  typeof size === "number" ? { height: size, width: size } : size;

export const sameSize = (a: Size, b: Size): boolean => a.height === b.height && a.width === b.width;

/** A size as files and flags have it: of a square its side, `128`, of a rectangle height by width, `96x64`. */
export type WrittenSize = number | string;

/** Reads a size that {@link printSize} has written or a person, `128`, `96x64` or `96×64`; null where it is none. */
export function parseSize(written: WrittenSize): Size | null {
  const [, height, width = height] = /^\s*(\d+)(?:\s*[x×]\s*(\d+))?\s*$/i.exec(String(written)) ?? [];
  return height === undefined ? null : { height: Number(height), width: Number(width) };
}

/** A size as {@link parseSize} reads it. */
export const printSize = ({ height, width }: Size): WrittenSize =>
  height === width ? height : `${height}x${width}`;

/** A size in a sentence, height by width: `96×64`. */
export const sizeText = (size: ImageSize): string => {
  const { height, width } = toSize(size);
  return `${height}×${width}`;
};
