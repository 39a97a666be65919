import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { className } from "./legend.ts";
import { BELOW_TITLE, MARGIN, WIDTH } from "./mosaic.ts";
import { LINE, paragraph } from "./paragraph.ts";
import { renderSvg } from "./render-svg.ts";
import { INK, MUTED, shorten, svgDocument, text } from "./svg.ts";

export interface ConfusionFigureOptions {
  /** Pixels, `[classes, classes]` row-major: rows are the truth, columns the prediction. */
  readonly counts: ArrayLike<number>;
  readonly classNames: readonly string[];
  readonly title?: string;
}

const LARGEST_CELL = 64;
/** A cell this large has room for its number. */
const NUMBERED_CELL = 34;
const LONGEST_NAME = 18;
/** Rows whose names can be read side by side; with more classes the last row is what is left over. */
const MOST_ROWS = 60;
/** In place of a class, all that have no row of their own. */
const OTHERS = -1;
const LEAST_WIDTH = 560;
/** Behind the cells; also all there is of a row without true pixels. */
const NO_TRUTH = "#dfe3e9";
const BAR = { width: 220, height: 12 } as const;

const colours = Plot.scale({ color: { type: "sqrt", domain: [0, 1], scheme: "YlGnBu" } });
/** Colour of a share in 0…1, on a square root: 1 % already looks unlike nothing. Nothing is white. */
export const shareColour = (share: number): string => (share > 0 ? String(colours.apply(share)) : "#ffffff");

/**
 * PNG of a confusion matrix: of each true class's pixels (a row), the share that was predicted as each class (a column).
 * Classes that are neither in the truth nor predicted are left out; the others stand in the order of their true pixels, and those
 * behind the 59th, where there are more than 60, are taken together.
 *
 * @throws RangeError when `counts` is not a square of the class names.
 */
export function confusionFigure(options: ConfusionFigureOptions): Promise<Buffer> {
  return renderSvg(confusionSvg(options));
}

/** The figure before it is rendered. */
export function confusionSvg({
  counts,
  classNames,
  title = "Confusion matrix",
}: ConfusionFigureOptions): string {
  const { labels, gathered, shares } = normalise(counts, classNames.length);
  const nameOf = (label: number): string =>
    label === OTHERS ? `${gathered.length} others` : shorten(className(label, classNames), LONGEST_NAME);
  const names = labels.map(nameOf);
  const widest = Math.max(5, ...names.map((name) => [...name].length));
  const roomOf = (size: number): number => Math.ceil(widest * size * 0.58) + 8;
  const fit = (size: number): number =>
    (WIDTH - 2 * MARGIN - LINE - roomOf(size)) / Math.max(1, labels.length);
  // The largest letters whose lines do not touch.
  const size = [13, 12, 11, 10].find((letters) => fit(letters) > letters) ?? 9;
  const cell = Math.floor(Math.min(LARGEST_CELL, fit(size)) * 2) / 2;
  const room = roomOf(size);
  const side = labels.length * cell;
  const width = Math.max(LEAST_WIDTH, 2 * MARGIN + LINE + room + side);
  const left = MARGIN + LINE + room;
  const top = BELOW_TITLE + 44;
  const letters = Math.floor((width - 2 * MARGIN) / 6.6);
  const heading = text(shorten(title, Math.floor((width - 2 * MARGIN) / 10)), MARGIN, 36, {
    size: 18,
    bold: true,
  });
  if (labels.length === 0) {
    const note = text("No pixels were counted.", MARGIN, BELOW_TITLE + 20, { colour: MUTED });
    return svgDocument(width, BELOW_TITLE + 44, [heading, note]);
  }

  const shown = labels.filter((label) => label !== OTHERS).length + gathered.length;
  const absent = classNames.length - shown;
  const withTruth = new Set(shares.map(({ truth }) => truth));
  const bottom = top + side + room + LINE;
  const note = paragraph(
    [
      "Classes by their true pixels, the most frequent first.",
      ...(gathered.length > 0
        ? [
            `The last row and column are the ${countClasses(gathered.length)} with the fewest, taken for one class.`,
          ]
        : []),
      ...(labels.some((label) => !withTruth.has(label))
        ? ["Grey rows: predicted, but not in the truth."]
        : []),
      ...(absent > 0 ? [`Left out: ${countClasses(absent)} neither in the truth nor predicted.`] : []),
    ].join(" "),
    { x: MARGIN, y: bottom + 26, letters },
    { colour: MUTED },
  );
  return svgDocument(width, bottom + 26 + note.length * LINE, [
    heading,
    ...colourBar(MARGIN, BELOW_TITLE, width),
    `<g transform="translate(${left - room},${top})">${matrix({ labels, names, shares, cell, size, room })}</g>`,
    `<text transform="translate(${MARGIN + 10},${top + side / 2}) rotate(-90)" font-size="13" font-weight="600" fill="${INK}" text-anchor="middle">truth</text>`,
    text("prediction", left + side / 2, bottom, { bold: true, anchor: "middle" }),
    ...note,
  ]);
}

const countClasses = (count: number): string => `${count} ${count === 1 ? "class" : "classes"}`;

interface Normalised {
  /** The classes that occur, those with most true pixels first; at the end `OTHERS` where they are too many. */
  readonly labels: readonly number[];
  /** The classes that `OTHERS` stands for. */
  readonly gathered: readonly number[];
  /** Share of the true pixels of `truth` that are predicted as `predicted`; none of a class without true pixels. */
  readonly shares: readonly { readonly truth: number; readonly predicted: number; readonly share: number }[];
}

function normalise(counts: ArrayLike<number>, classes: number): Normalised {
  if (counts.length !== classes * classes)
    throw new RangeError(
      `The confusion matrix of ${classes} classes has ${classes * classes} counts, not ${counts.length}.`,
    );
  const ids = Array.from({ length: classes }, (_, label) => label);
  const count = (row: number, column: number): number => {
    const pixels = counts[row * classes + column];
    return Number.isFinite(pixels) ? Math.max(0, pixels) : 0;
  };
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const truth = ids.map((row) => sum(ids.map((column) => count(row, column))));
  const predicted = ids.map((column) => sum(ids.map((row) => count(row, column))));
  const occurring = ids
    .filter((label) => truth[label] > 0 || predicted[label] > 0)
    .sort((a, b) => truth[b] - truth[a] || predicted[b] - predicted[a] || a - b);
  const own = occurring.length > MOST_ROWS ? occurring.slice(0, MOST_ROWS - 1) : occurring;
  const gathered = occurring.slice(own.length);
  const labels = gathered.length > 0 ? [...own, OTHERS] : own;
  const members = (label: number): readonly number[] => (label === OTHERS ? gathered : [label]);
  const shares = labels.flatMap((row) => {
    const pixels = sum(members(row).map((label) => truth[label]));
    if (pixels === 0) return [];
    return labels.map((column) => {
      const taken = members(row).flatMap((label) => members(column).map((other) => count(label, other)));
      return { truth: row, predicted: column, share: sum(taken) / pixels };
    });
  });
  return { labels, gathered, shares };
}

interface Matrix extends Pick<Normalised, "labels" | "shares"> {
  readonly names: readonly string[];
  /** Side of a cell. */
  readonly cell: number;
  /** Height of the names' letters. */
  readonly size: number;
  /** For the names, left of the matrix and beneath it. */
  readonly room: number;
}

/** SVG of the cells, with the true classes left of them and the predicted ones beneath. */
function matrix({ labels, names, shares, cell, size, room }: Matrix): string {
  const side = labels.length * cell;
  const nameOf = new Map(labels.map((label, i) => [label, names[i]]));
  const axis = {
    type: "band",
    domain: labels,
    padding: 0,
    round: false,
    label: null,
    tickSize: 0,
    tickPadding: 5,
    tickFormat: (label: number) => nameOf.get(label)!,
  } as const;
  const svg = Plot.plot({
    document: parseHTML("<html><body></body></html>").document,
    width: room + side,
    height: side + room,
    marginLeft: room,
    marginRight: 0,
    marginTop: 0,
    marginBottom: room,
    style: { fontSize: `${size}px`, fontFamily: "Inter", color: INK },
    x: { ...axis, tickRotate: -90 },
    y: axis,
    marks: [
      Plot.frame({ fill: NO_TRUTH, stroke: null }),
      Plot.cell(shares, {
        x: "predicted",
        y: "truth",
        fill: ({ share }: { share: number }) => shareColour(share),
        inset: 0.25,
      }),
      ...(cell < NUMBERED_CELL
        ? []
        : [
            Plot.text(shares, {
              x: "predicted",
              y: "truth",
              text: ({ share }: { share: number }) => percent(share),
              fill: ({ share }: { share: number }) => (share > 0.3 ? "white" : INK),
              fontSize: 12,
            }),
          ]),
    ],
  });
  return svg.outerHTML;
}

/** A share in few letters. */
const percent = (share: number): string => {
  if (share === 0) return "0";
  if (share < 0.001) return "<0.1%";
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
};

/** What the colours mean, with the ticks where the square root puts them. */
function colourBar(x: number, y: number, width: number): string[] {
  const left = width - MARGIN - BAR.width - 14;
  const steps = BAR.width;
  const strips = Array.from({ length: steps }, (_, i) => {
    const share = ((i + 0.5) / steps) ** 2;
    return `<rect x="${left + i}" y="${y}" width="1" height="${BAR.height}" fill="${shareColour(share)}" shape-rendering="crispEdges"/>`;
  });
  const ticks = [0, 0.01, 0.05, 0.2, 0.5, 1].map((share) => {
    const at = left + Math.sqrt(share) * BAR.width;
    return (
      `<line x1="${at}" x2="${at}" y1="${y + BAR.height}" y2="${y + BAR.height + 4}" stroke="${INK}"/>` +
      text(share === 0 ? "0" : `${100 * share}%`, at, y + BAR.height + 17, { size: 12, anchor: "middle" })
    );
  });
  return [
    text("where each true class's pixels went", x, y + BAR.height - 1, { colour: MUTED }),
    ...strips,
    ...ticks,
  ];
}
