import { DataError } from "../data-error.ts";
import { IGNORE, MOST_CLASSES } from "../dataset.ts";
import type { DeclaredClass } from "./declared.ts";
import type { Survey } from "./survey.ts";

/** Classes that the masks' own values tell of. */
export interface Guess {
  readonly classes: readonly DeclaredClass[];
  readonly ignored: readonly number[];
}

/** A picture of text, a line or a photo: what anybody means by so many values is not to be guessed. */
const SHARE_OF_ENDS = 0.9;
const MOST_GREYS = 16;

/**
 * Classes of masks whose set says nothing of them:
 *
 * - 0 and 255 only: two classes, background and foreground;
 * - numbers from 0 with few left out: each number is a class, and 255 does not count where it is the only one above;
 * - few numbers far apart, as 0, 128, 255: each that occurs is a class, in ascending order.
 *
 * @throws DataError when all pixels are of one value; when there are more values than classes may be; when nearly all pixels
 *   are 0 or 255 and many greys lie between, as smoothed edges and JPEG make them
 */
export function guessClasses(survey: Survey): Guess {
  const values = [...survey.keys()];
  const [lowest] = values;
  if (values.length === 1) {
    throw new DataError(
      `All pixels of all masks are ${lowest}, so there is nothing to tell apart: label a second class, or say how many classes ` +
        `there are with --classes.`,
    );
  }
  refuseSmoothed(survey);
  const below = values.filter((value) => value !== IGNORE);
  const top = below[below.length - 1];
  if (values.length === 2 && lowest === 0 && values[1] === IGNORE) {
    const classes = [
      { key: 0, name: "background" },
      { key: IGNORE, name: "foreground" },
    ];
    return { classes, ignored: [] };
  }
  // Half of the numbers up to the highest: of many classes some will not occur, of numbers far apart few do.
  if (top < MOST_CLASSES && below.length > 1 && 2 * below.length > top) {
    const all = Array.from({ length: top + 1 }, (_, value) => ({ key: value, name: `class ${value}` }));
    const classIsLast = top === MOST_CLASSES - 2 && survey.has(IGNORE);
    if (classIsLast) return { classes: [...all, { key: IGNORE, name: `class ${IGNORE}` }], ignored: [] };
    return { classes: all, ignored: survey.has(IGNORE) ? [IGNORE] : [] };
  }
  if (values.length > MOST_CLASSES) {
    throw new DataError(
      `The masks hold ${values.length} different values up to ${values[values.length - 1]}, and ${MOST_CLASSES} classes are the ` +
        `most there can be: are they masks? If so, merge values with --label-map.`,
    );
  }
  return { classes: values.map((value) => ({ key: value, name: `value ${value}` })), ignored: [] };
}

function refuseSmoothed(survey: Survey): void {
  const pixels = (value: number): number => survey.get(value)?.pixels ?? 0;
  const ends = pixels(0) + pixels(255);
  const all = [...survey.values()].reduce((sum, count) => sum + count.pixels, 0);
  if (survey.size <= MOST_GREYS || pixels(255) === 0 || ends < SHARE_OF_ENDS * all) return;
  const [[grey, { file, at }]] = [...survey].filter(([value]) => value !== 0 && value !== 255);
  throw new DataError(
    `The masks are 0 and 255 but for ${((100 * (all - ends)) / all).toFixed(1)} % of the pixels, which hold ${survey.size - 2} ` +
      `greys between (${grey} in ${file} at pixel (${at.join(", ")}), for one), as smoothed edges and JPEG make them: save them ` +
      `without smoothing, or take the nearer with --label-map, a file of two lines: 0-127,0 and 128-255,1.`,
  );
}
