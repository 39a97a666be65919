import { jetHex } from "./jet.ts";
import { className, classesByFrequency, colourBar, legend, notCountedEntries } from "./legend.ts";
import type { Legend } from "./legend.ts";
import type { Box } from "./mosaic.ts";

const BAR = 14;
const NUMBERS = 34;

/** What masks in jet mean: a colour bar of all classes and the names of those that occur, in the bar's order. */
export function jetKey(
  masks: readonly Uint8Array[],
  classNames: readonly string[],
  { x, y, width }: Omit<Box, "height">,
): Legend {
  const classes = classNames.length;
  const colour = (label: number): string => jetHex(label, classes);
  const bar = colourBar(classes, colour, { x, y, width, height: BAR });
  const entries = classesByFrequency(masks, classes)
    .sort((a, b) => a - b)
    .map((label) => ({ colour: colour(label), label: `${label} ${className(label, classNames)}` }));
  const names = legend(
    [...entries, ...notCountedEntries(masks, classes)],
    { x, y: y + BAR + NUMBERS, width },
    150,
  );
  return { elements: [...bar, ...names.elements], height: BAR + NUMBERS + names.height };
}
