import { countClasses } from "./count-classes.ts";

/** How much of a photo one class takes. */
export interface ClassShare {
  readonly id: number;
  readonly name: string;
  readonly pixels: number;
  /** Of the photo's pixels, 0 to 1. */
  readonly share: number;
}

/**
 * The classes that occur in a mask, the largest first.
 *
 * @param counts the pixels of each class in it, where they have been counted
 */
export function classShares(
  mask: Uint8Array,
  classNames: readonly string[],
  counts = countClasses([mask]),
): ClassShare[] {
  return classNames
    .map((name, id) => ({ id, name, pixels: counts[id], share: counts[id] / mask.length }))
    .filter(({ pixels }) => pixels > 0)
    .sort((a, b) => b.pixels - a.pixels || a.id - b.id);
}
