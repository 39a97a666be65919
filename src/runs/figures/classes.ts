import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { className } from "./legend.ts";
import { BELOW_TITLE, MARGIN, WIDTH } from "./mosaic.ts";
import { LINE, paragraph } from "./paragraph.ts";
import { renderSvg } from "./render-svg.ts";
import { INK, MUTED, shorten, svgDocument, text } from "./svg.ts";

export interface ClassesFigureOptions {
  /** Intersection over union of each class; null for one that is neither in the truth nor predicted. */
  readonly iou: readonly (number | null)[];
  /** True pixels of each class. */
  readonly truthPixels: ArrayLike<number>;
  readonly classNames: readonly string[];
  /** Over the classes in the truth, as is the mean Dice coefficient. */
  readonly meanIou: number;
  readonly meanDice: number;
  /** Share of the pixels whose class was predicted. */
  readonly accuracy: number;
  readonly title?: string;
}

interface Bar {
  readonly label: number;
  readonly iou: number;
  /** Of all true pixels; 0 for a class that was only predicted. */
  readonly share: number;
}

const ROW = 18;
const SUMMARY = 22;
const HEADER = 44;
const LONGEST_NAME = 18;
const NAMES = 120;
const IOU_WIDTH = 384;
const SHARE_WIDTH = WIDTH - 2 * MARGIN - NAMES - IOU_WIDTH;
const FOOTER = 24;
/** Half a number of the axis stands left of it. */
const SHARE_LEFT = 24;
const BLUE = "#2f6fde";
const ORANGE = "#e0662b";
const GRID = "#e3e7ec";

/**
 * PNG of the classes that occur, the best first: a bar of its IoU for each, and the share of the true pixels that it has,
 * on a logarithmic scale. A line marks the mean IoU. Classes neither in the truth nor predicted are named beneath.
 *
 * @throws RangeError when there is not one IoU and one number of pixels for each name.
 */
export function classesFigure(options: ClassesFigureOptions): Promise<Buffer> {
  return renderSvg(classesSvg(options));
}

/** The figure before it is rendered. */
export function classesSvg(options: ClassesFigureOptions): string {
  const { classNames, meanIou, title = "IoU of each class" } = options;
  const bars = barsOf(options);
  const present = bars.filter(({ share }) => share > 0).length;
  const letters = Math.floor((WIDTH - 2 * MARGIN) / 6.6);
  const top = BELOW_TITLE + SUMMARY;
  const height = bars.length === 0 ? 0 : HEADER + bars.length * ROW + FOOTER;
  const notes = [...strayNote(bars, present), ...absentNote(bars, classNames)];
  let y = top + height + 16;
  const written = notes.flatMap((note) => {
    const lines = paragraph(note, { x: MARGIN, y, letters }, { colour: MUTED });
    y += lines.length * LINE + 4;
    return lines;
  });
  return svgDocument(WIDTH, y, [
    text(shorten(title, Math.floor((WIDTH - 2 * MARGIN) / 10)), MARGIN, 36, { size: 18, bold: true }),
    text(summary(present, options), MARGIN, BELOW_TITLE + 8, { colour: MUTED }),
    ...(bars.length === 0
      ? []
      : [
          text("IoU", MARGIN + NAMES, top + 16, { bold: true }),
          text("share of all true pixels", MARGIN + NAMES + IOU_WIDTH + SHARE_LEFT, top + 16, { bold: true }),
          `<g transform="translate(${MARGIN},${top})">${iouPanel(bars, classNames, meanIou)}</g>`,
          `<g transform="translate(${MARGIN + NAMES + IOU_WIDTH},${top})">${sharePanel(bars)}</g>`,
        ]),
    ...written,
  ]);
}

function barsOf({ iou, truthPixels, classNames }: ClassesFigureOptions): Bar[] {
  if (iou.length !== classNames.length || truthPixels.length !== classNames.length)
    throw new RangeError(
      `${classNames.length} classes need as many IoUs and numbers of pixels, not ${iou.length} and ${truthPixels.length}.`,
    );
  const total = Array.from(truthPixels).reduce((sum, pixels) => sum + pixels, 0);
  return iou
    .flatMap((value, label) =>
      value === null || !Number.isFinite(value)
        ? []
        : [{ label, iou: value, share: total > 0 ? truthPixels[label] / total : 0 }],
    )
    .sort((a, b) => b.iou - a.iou || b.share - a.share || a.label - b.label);
}

const strayNote = (bars: readonly Bar[], present: number): string[] =>
  bars.length > present ? ["none: predicted somewhere, but not in the truth; not part of the mean."] : [];

function absentNote(bars: readonly Bar[], classNames: readonly string[]): string[] {
  const shown = new Set(bars.map(({ label }) => label));
  const absent = classNames.filter((_, label) => !shown.has(label));
  return absent.length === 0
    ? []
    : [`Neither in the truth nor predicted (${absent.length}): ${absent.join(", ")}.`];
}

function summary(present: number, { meanIou, meanDice, accuracy }: ClassesFigureOptions): string {
  if (present === 0) return "No pixels were counted.";
  const classes = present === 1 ? "the one class" : `the ${present} classes`;
  return `mean IoU ${decimals(meanIou)}, mean Dice ${decimals(meanDice)} over ${classes} in the truth · pixel accuracy ${decimals(accuracy)}`;
}

const decimals = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : "undefined");

/** What both panels have: a row for each class. */
const common = (bars: readonly Bar[]): Plot.PlotOptions => ({
  document: parseHTML("<html><body></body></html>").document,
  height: HEADER + bars.length * ROW + FOOTER,
  marginTop: HEADER,
  marginBottom: FOOTER,
  style: { fontSize: "12px", fontFamily: "Inter", color: INK },
});

const rows = (bars: readonly Bar[]): Plot.ScaleOptions => ({
  type: "band",
  domain: bars.map(({ label }) => label),
  padding: 0,
  round: false,
  label: null,
});

/** SVG of the names and bars. */
function iouPanel(bars: readonly Bar[], classNames: readonly string[], meanIou: number): string {
  const mean = Number.isFinite(meanIou) ? [meanIou] : [];
  return Plot.plot({
    ...common(bars),
    width: NAMES + IOU_WIDTH,
    marginLeft: NAMES,
    marginRight: 56,
    x: { domain: [0, 1], axis: null },
    y: { ...rows(bars), axis: null },
    marks: [
      Plot.gridX({ ticks: 5, stroke: GRID, strokeOpacity: 1 }),
      Plot.axisX({ anchor: "top", ticks: 5, tickSize: 0, label: null }),
      Plot.axisY({
        tickSize: 0,
        tickPadding: 8,
        label: null,
        tickFormat: (label: number) => shorten(className(label, classNames), LONGEST_NAME),
      }),
      Plot.barX(bars, { x: "iou", y: "label", fill: BLUE, insetTop: 3, insetBottom: 3 }),
      Plot.ruleX([0], { stroke: MUTED }),
      Plot.ruleX(mean, { stroke: ORANGE, strokeWidth: 1.5, strokeDasharray: "5 3" }),
      Plot.text(bars, {
        x: "iou",
        y: "label",
        text: ({ iou }: Bar) => decimals(iou),
        textAnchor: "start",
        dx: 6,
        stroke: "white",
        strokeWidth: 4,
        fill: INK,
      }),
      Plot.text(mean, {
        x: (value: number) => value,
        text: (value: number) => `mean ${decimals(value)}`,
        frameAnchor: "bottom",
        dy: 18,
        fill: ORANGE,
        fontWeight: 600,
      }),
    ],
  }).outerHTML;
}

/** SVG of the shares as dots. */
function sharePanel(bars: readonly Bar[]): string {
  const present = bars.filter(({ share }) => share > 0);
  // From the power of ten below the smallest share.
  const lowest = 10 ** Math.floor(Math.log10(Math.min(0.01, ...present.map(({ share }) => share))) - 1e-9);
  const ticks = Array.from({ length: Math.round(-Math.log10(lowest)) + 1 }, (_, power) => 10 ** -power);
  return Plot.plot({
    ...common(bars),
    width: SHARE_WIDTH,
    marginLeft: SHARE_LEFT,
    marginRight: 66,
    x: { type: "log", domain: [lowest, 1], axis: null },
    y: { ...rows(bars), axis: null },
    marks: [
      Plot.gridX(ticks, { stroke: GRID, strokeOpacity: 1 }),
      Plot.axisX(
        // Their numbers would touch.
        ticks.filter((_, power) => ticks.length <= 5 || power % 2 === 0),
        { anchor: "top", tickSize: 0, label: null, tickFormat: tickPercent },
      ),
      Plot.ruleY(present, { y: "label", x1: lowest, x2: "share", stroke: "#b6bec9" }),
      Plot.dot(present, { x: "share", y: "label", r: 4, fill: INK }),
      Plot.text(bars, {
        y: "label",
        text: ({ share }: Bar) => (share === 0 ? "none" : percent(share)),
        frameAnchor: "right",
        textAnchor: "end",
        dx: 60,
        fill: ({ share }: Bar) => (share === 0 ? MUTED : INK),
      }),
    ],
  }).outerHTML;
}

/** 10^-n as a percentage without needless digits. */
const tickPercent = (share: number): string => `${Number((100 * share).toPrecision(1))}%`;

/** Two or three digits that count. */
const percent = (share: number): string => {
  if (share < 0.00001) return "<0.001%";
  return `${(100 * share).toPrecision(share < 0.01 ? 2 : 3)}%`;
};
