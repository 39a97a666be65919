import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { HistoryRow } from "../history.ts";
import { MARGIN, WIDTH } from "./mosaic.ts";
import { renderSvg } from "./render-svg.ts";
import { INK, MUTED, shorten, svgDocument, text } from "./svg.ts";

export interface CurvesFigureOptions {
  readonly title?: string;
  /** The accuracy of predicting class 0 everywhere on the validation photos; drawn as a line to beat. */
  readonly backgroundAccuracy?: number;
}

const GUTTER = 16;
const PANEL = { width: (WIDTH - 2 * MARGIN - GUTTER) / 2, height: 290 } as const;
const TOP = 92;
const TRAINING = "#2f6fde";
const VALIDATION = "#e0662b";

/** PNG of accuracy and loss over the epochs of training and validation, with a mark where fine-tuning starts. */
export async function curvesFigure(
  history: readonly HistoryRow[],
  { title = "Training", backgroundAccuracy }: CurvesFigureOptions = {},
): Promise<Buffer> {
  const accuracy = panel(history, "accuracy", "valAccuracy", backgroundAccuracy);
  const loss = panel(history, "loss", "valLoss");
  const right = MARGIN + PANEL.width + GUTTER;
  return renderSvg(
    svgDocument(WIDTH, TOP + PANEL.height + MARGIN, [
      text(shorten(title, 54), MARGIN, 38, { size: 18, bold: true }),
      ...key(WIDTH - MARGIN - 190, 38),
      text("Accuracy", MARGIN, TOP - 16, { size: 14, bold: true }),
      text("Loss", right, TOP - 16, { size: 14, bold: true }),
      `<g transform="translate(${MARGIN},${TOP})">${accuracy}</g>`,
      `<g transform="translate(${right},${TOP})">${loss}</g>`,
    ]),
  );
}

/** The first fine-tuning epoch, where another phase came before it; null else. */
export function fineTuningStart(history: readonly HistoryRow[]): number | null {
  const index = history.findIndex(({ phase }) => phase === "finetune");
  return index > 0 ? history[index].epoch : null;
}

function key(x: number, baseline: number): string[] {
  return [
    { label: "training", colour: TRAINING, at: x },
    { label: "validation", colour: VALIDATION, at: x + 94 },
  ].map(
    ({ label, colour, at }) =>
      `<line x1="${at}" x2="${at + 18}" y1="${baseline - 4.5}" y2="${baseline - 4.5}" stroke="${colour}" stroke-width="3" stroke-linecap="round"/>` +
      text(label, at + 26, baseline),
  );
}

type Metric = "loss" | "accuracy" | "valLoss" | "valAccuracy";

/** SVG of one metric over the epochs. */
function panel(
  history: readonly HistoryRow[],
  training: Metric,
  validation: Metric,
  background?: number,
): string {
  const first = history[0]?.epoch ?? 1;
  const last = history.at(-1)?.epoch ?? 1;
  const start = fineTuningStart(history);
  const rising = training === "accuracy";
  const values = [
    ...history.flatMap((row) => [row[training], row[validation]]),
    ...(background === undefined ? [] : [background]),
  ].filter(Number.isFinite);
  // A label right of a late mark would leave the panel.
  const late = start !== null && last - start < 0.2 * (last - first);
  const label = { fill: MUTED, stroke: "white", strokeWidth: 4 };
  const curve = (metric: Metric, stroke: string): Plot.Markish[] => [
    Plot.lineY(history, { x: "epoch", y: metric, stroke, strokeWidth: 2.25 }),
    Plot.dotY(history, { x: "epoch", y: metric, fill: stroke, r: history.length > 30 ? 2 : 3.25 }),
  ];
  const svg = Plot.plot({
    document: parseHTML("<html><body></body></html>").document,
    ...PANEL,
    marginLeft: 52,
    marginRight: 12,
    marginTop: 12,
    marginBottom: 42,
    style: { fontSize: "12px", fontFamily: "Inter", color: INK },
    x: {
      domain: first === last ? [first - 0.5, last + 0.5] : [first, last],
      ticks: wholeTicks(first, last),
      tickFormat: (epoch: number) => String(epoch),
      label: "epoch",
      labelAnchor: "center",
      labelArrow: "none",
      inset: 6,
    },
    y: {
      domain: rising ? accuracyRange(values) : [0, Math.max(...values, 0) || 1],
      nice: true,
      inset: 8,
      grid: true,
      label: null,
      ticks: 6,
    },
    marks: [
      ...(start === null
        ? []
        : [
            Plot.ruleX([start - 0.5], { stroke: MUTED, strokeDasharray: "4 4" }),
            Plot.text([start - 0.5], {
              x: (epoch: number) => epoch,
              text: () => "fine-tuning",
              // Where the curves are not.
              frameAnchor: rising ? "bottom" : "top",
              textAnchor: late ? "end" : "start",
              dx: late ? -6 : 6,
              dy: rising ? -6 : 2,
              ...label,
            }),
          ]),
      ...(background === undefined
        ? []
        : [
            Plot.ruleY([background], { stroke: MUTED, strokeWidth: 1.5 }),
            Plot.text([background], {
              y: (value: number) => value,
              text: () => "all background",
              frameAnchor: "right",
              textAnchor: "end",
              dy: 9,
              ...label,
            }),
          ]),
      ...curve(training, TRAINING),
      ...curve(validation, VALIDATION),
    ],
  });
  return svg.outerHTML;
}

/** The accuracies to show: at least two hundredths, so that the ticks stay short and what is level looks level. */
export function accuracyRange(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const width = Math.max(highest - lowest, 0.02);
  const low = Math.max(0, Math.min((lowest + highest - width) / 2, 1 - width));
  return [low, low + width];
}

/** At most some ten whole numbers from `first` to `last`. */
export function wholeTicks(first: number, last: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((s) => (last - first) / s <= 10) ?? 1000;
  const ticks = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}
