import { countClasses } from "../../masks/count-classes.ts";
import type { Box } from "./mosaic.ts";
import { HATCH, isIgnored, someIgnored } from "./not-counted.ts";
import { INK, MUTED, shorten, text } from "./svg.ts";

export interface LegendEntry {
  /** `#rrggbb`, or null for a swatch without a colour. */
  readonly colour: string | null;
  /** Instead of a colour, the hatch of pixels that do not count. */
  readonly hatched?: boolean;
  readonly label: string;
  /** Stands at the right end of the entry. */
  readonly value?: string;
}

export interface Legend {
  readonly elements: readonly string[];
  /** Units. */
  readonly height: number;
}

const ROW = 22;
const SWATCH = 13;
/** The least width of a column. */
export const LEGEND_COLUMN = 150;
/** Units a letter of 13 units takes, on average. */
const LETTER = 7.2;

/** Swatches with names, in as many columns as fit `width`, read line by line. */
export function legend(
  entries: readonly LegendEntry[],
  { x: left, y: top, width }: Omit<Box, "height">,
  columnWidth = LEGEND_COLUMN,
): Legend {
  const columns = Math.max(1, Math.floor(width / columnWidth));
  const pitch = width / columns;
  const elements = entries.map(({ colour, hatched = false, label, value }, i) => {
    const x = left + (i % columns) * pitch;
    const y = top + Math.floor(i / columns) * ROW;
    const right = x + pitch - 14;
    const room = pitch - 14 - SWATCH - 7 - (value === undefined ? 0 : value.length * LETTER + 8);
    const fill = hatched ? HATCH.ground : (colour ?? "#ffffff");
    return [
      `<rect x="${x + 0.5}" y="${y + 0.5}" width="${SWATCH - 1}" height="${SWATCH - 1}" rx="2" fill="${fill}" stroke="${colour === null ? MUTED : "#00000033"}"/>`,
      ...(hatched
        ? [
            `<path d="M${x + 1} ${y + 7}l6 -6M${x + 1} ${y + 12}l11 -11M${x + 6} ${y + 12}l6 -6" stroke="${HATCH.lines}" stroke-width="1.5"/>`,
          ]
        : []),
      text(shorten(label, Math.max(3, Math.floor(room / LETTER))), x + SWATCH + 7, y + 11),
      ...(value === undefined ? [] : [text(value, right, y + 11, { anchor: "end", colour: MUTED })]),
    ].join("");
  });
  return { elements, height: Math.ceil(entries.length / columns) * ROW };
}

/** What pixels that do not count look like, where the masks have some. */
export const notCountedEntries = (masks: readonly Uint8Array[], classes: number): LegendEntry[] =>
  someIgnored(masks, classes) ? [{ colour: null, hatched: true, label: "not counted" }] : [];

/** The classes that occur in `masks`, the most frequent first. */
export const classesByFrequency = (masks: readonly Uint8Array[], classes: number): number[] =>
  byFrequency(countClasses(masks), classes);

/** As {@link classesByFrequency}, by how many pixels each class has. */
export const byFrequency = (counts: Float64Array, classes: number): number[] =>
  [...counts.keys()]
    .filter((label) => counts[label] > 0 && !isIgnored(label, classes))
    .sort((a, b) => counts[b] - counts[a] || a - b);

/** What a class is called, named or not. */
export const className = (label: number, classNames: readonly string[]): string =>
  classNames[label] ?? `class ${label}`;

/** A colour bar of the classes `0` to `classes` − 1 with numbers beneath. */
export function colourBar(
  classes: number,
  colour: (label: number) => string,
  { x, y, width, height }: Box,
): string[] {
  const pitch = width / classes;
  const strips = Array.from(
    { length: classes },
    (_, label) =>
      `<rect x="${x + label * pitch}" y="${y}" width="${pitch}" height="${height}" fill="${colour(label)}" shape-rendering="crispEdges"/>`,
  );
  const step = [1, 2, 5, 10, 20, 50].find((count) => count * pitch >= 24) ?? 100;
  const last = classes - 1;
  const numbers = Array.from({ length: classes }, (_, label) => label)
    .filter((label) => label === last || (label % step === 0 && (last - label) * pitch >= 20))
    .map((label) => {
      const middle = x + (label + 0.5) * pitch;
      return (
        `<line x1="${middle}" x2="${middle}" y1="${y + height}" y2="${y + height + 4}" stroke="${INK}"/>` +
        text(String(label), middle, y + height + 17, { size: 12, anchor: "middle" })
      );
    });
  return [...strips, ...numbers];
}
