/** @file Where a prediction is right, in two colours that differ in lightness, so that colour-blind readers and grey prints tell them apart. */
import { IGNORE } from "../../data/dataset.ts";
import type { Size } from "../../data/resize.ts";
import { notCountedEntries } from "./legend.ts";
import type { LegendEntry } from "./legend.ts";
import { maskDrawing } from "./mosaic.ts";
import type { Drawing } from "./mosaic.ts";
import { isIgnored } from "./not-counted.ts";

/** A pale blue and a dark vermilion. */
export const ERROR_COLOURS = { correct: "#bfdcf0", misclassified: "#b03a00" } as const;

const CORRECT = 0;
const MISCLASSIFIED = 1;
const KINDS = [ERROR_COLOURS.correct, ERROR_COLOURS.misclassified].map((hex) =>
  Buffer.from(hex.slice(1), "hex"),
);

/** Of each pixel, 0 where truth and prediction agree, 1 where they do not, `IGNORE` where it does not count. */
export function errorMap(truth: Uint8Array, prediction: Uint8Array, classes: number): Uint8Array {
  return truth.map((label, pixel) =>
    isIgnored(label, classes) ? IGNORE : label === prediction[pixel] ? CORRECT : MISCLASSIFIED,
  );
}

/** The errors of a prediction; `truth` and `prediction` are `[height, width]`. */
export function errorDrawing(
  size: Size,
  truth: Uint8Array,
  prediction: Uint8Array,
  classes: number,
): Drawing {
  return maskDrawing(size, errorMap(truth, prediction, classes), KINDS.length, paint);
}

function paint(kinds: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * kinds.length);
  kinds.forEach((kind, pixel) => kind !== IGNORE && rgb.set(KINDS[kind], 3 * pixel));
  return rgb;
}

/** What the colours mean; that some pixels do not count, only where some do not. */
export const errorEntries = (truths: readonly Uint8Array[], classes: number): LegendEntry[] => [
  { colour: ERROR_COLOURS.correct, label: "correct" },
  { colour: ERROR_COLOURS.misclassified, label: "misclassified" },
  ...notCountedEntries(truths, classes),
];
