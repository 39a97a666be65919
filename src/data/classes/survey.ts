/** How often a number, or a colour `0xRRGGBB`, stands in one mask, and where first, counted row by row. */
export interface ValueCount {
  readonly value: number;
  readonly pixels: number;
  readonly first: number;
}

/** What the pixels of one mask are, before anybody says what that means. */
export interface MaskSurvey {
  readonly width: number;
  readonly height: number;
  /** In ascending order; of the first {@link MOST_VALUES} only. */
  readonly values: readonly ValueCount[];
  /** Whether there were more values than that. */
  readonly more: boolean;
}

/** Different values of one mask that are counted: a mask has far fewer, and a photo far more. */
export const MOST_VALUES = 1024;

/** Counts the values of a mask. */
export function surveyOf(values: ArrayLike<number>, width: number, height: number): MaskSurvey {
  const counts = new Map<number, { pixels: number; first: number }>();
  let more = false;
  // Neighbours are mostly equal: a look into the map for each run of them.
  for (let i = 0; i < values.length;) {
    const value = values[i];
    const begin = i;
    do i++;
    while (i < values.length && values[i] === value);
    const known = counts.get(value);
    if (known !== undefined) known.pixels += i - begin;
    else if (counts.size < MOST_VALUES) counts.set(value, { pixels: i - begin, first: begin });
    else more = true;
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return { width, height, values: sorted.map(([value, count]) => ({ value, ...count })), more };
}

/** A value in all masks of a data set. */
export interface Occurrence {
  readonly pixels: number;
  /** Masks that have it. */
  readonly masks: number;
  /** The first of them. */
  readonly file: string;
  /** Column and row where it stands there first. */
  readonly at: readonly [number, number];
}

/** What all masks of a data set hold, by value in ascending order. */
export type Survey = ReadonlyMap<number, Occurrence>;

/** Sums the surveys of masks up. */
export function sumUp(masks: readonly (readonly [file: string, survey: MaskSurvey])[]): Survey {
  const all = new Map<
    number,
    { pixels: number; masks: number; file: string; at: readonly [number, number] }
  >();
  for (const [file, { width, values }] of masks) {
    for (const { value, pixels, first } of values) {
      const known = all.get(value);
      if (known === undefined) {
        all.set(value, { pixels, masks: 1, file, at: [first % width, Math.floor(first / width)] });
      } else {
        known.pixels += pixels;
        known.masks++;
      }
    }
  }
  return new Map([...all].sort(([a], [b]) => a - b));
}
