import type { Size } from "../../data/resize.ts";

const MOST = 1600;
const LEAST = 640;

/** The size at which a photo and its labels are shown: its own, where its longer side has 640 to 1600 pixels. */
export function viewSize({ width, height }: Size): Size {
  const longer = Math.max(width, height);
  const factor = longer > MOST ? MOST / longer : longer < LEAST ? Math.ceil(LEAST / longer) : 1;
  const side = (length: number): number => Math.max(1, Math.round(length * factor));
  return { width: side(width), height: side(height) };
}
