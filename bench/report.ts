/** @file The benchmark's results, as a person reads them. */
import { DIRECTIONS } from "./bench-case.ts";
import type { Direction } from "./bench-case.ts";
import type { Timing } from "./measure.ts";

/** A case, measured. Times in milliseconds. */
export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly direction: Direction;
  /** Planning, compiling and the first run, numbers drawn and uploaded. */
  readonly prepareMs: number;
  readonly ours: Timing;
  readonly gflopPerSecond: number | null;
  readonly gbPerSecond: number;
  /** The ceiling that the work meets first. */
  readonly bound: "arithmetic" | "memory";
  /** Of that ceiling. */
  readonly share: number;
  readonly tfjs: TfjsResult | null;
}

/** Beside tfjs, or why not. */
export type TfjsResult =
  | {
      readonly theirs: Timing;
      /** Their time over ours. */
      readonly ratio: number;
      /** Of the results, over the largest value; null where they were not compared. */
      readonly difference: number | null;
    }
  | { readonly lacking: string };

/** Results that differ by more than this, of the largest value, are pointed out. */
const TOLERANCE = 1e-3;

const NAME = 52;
const SHAPE = 19;

export const tableHead = (): string =>
  line("case", "shape", "ms", "GFLOP/s", "GB/s", "ceiling", "tfjs ms", "tfjs/ours");

export function tableRow({
  name,
  shape,
  ours,
  gflopPerSecond,
  gbPerSecond,
  bound,
  share,
  tfjs,
}: Row): string {
  const percent = `${(100 * share).toFixed(0)} % ${bound === "arithmetic" ? "a" : "m"}`;
  const rates = [gflopPerSecond === null ? "–" : figure(gflopPerSecond), figure(gbPerSecond), percent];
  if (!tfjs || "lacking" in tfjs) return line(name, shape, figure(ours.median), ...rates, "–", "–");
  const { theirs, ratio, difference } = tfjs;
  const remark = difference !== null && difference > TOLERANCE ? "  results differ" : "";
  return line(name, shape, figure(ours.median), ...rates, figure(theirs.median), figure(ratio)) + remark;
}

function line(name: string, shape: string, ...columns: string[]): string {
  return name.padEnd(NAME) + shape.padEnd(SHAPE) + columns.map((column) => column.padStart(10)).join("");
}

export interface Summary {
  /** Geometric means of tfjs's time over ours, of the directions that have any. */
  readonly meanRatio: Readonly<Partial<Record<Direction, number>>>;
  /** Names of the cases in which tfjs is faster, worst first. */
  readonly slower: readonly string[];
}

export function summarize(rows: readonly Row[]): Summary {
  const compared = rows.flatMap(({ name, direction, tfjs }) =>
    tfjs && "ratio" in tfjs ? [{ name, direction, ratio: tfjs.ratio }] : [],
  );
  const meanRatio: Partial<Record<Direction, number>> = {};
  for (const direction of DIRECTIONS) {
    const ratios = compared.filter((row) => row.direction === direction).map(({ ratio }) => ratio);
    if (ratios.length > 0) meanRatio[direction] = geometricMean(ratios);
  }
  const slower = compared.filter(({ ratio }) => ratio < 1).sort((a, b) => a.ratio - b.ratio);
  return { meanRatio, slower: slower.map(({ name }) => name) };
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export function summaryLines(rows: readonly Row[], { meanRatio, slower }: Summary): string[] {
  const means = Object.entries(meanRatio).map(([direction, ratio]) => `${direction} ${figure(ratio)}×`);
  const lacking = rows.filter(({ tfjs }) => tfjs && "lacking" in tfjs);
  if (means.length === 0) return lacking.map(lackingLine);
  const ratioOf = new Map(
    rows.map(({ name, tfjs }) => [name, tfjs && "ratio" in tfjs ? figure(tfjs.ratio) : "–"]),
  );
  return [
    `Faster than tfjs's WebGPU backend, geometric mean: ${means.join(", ")}.`,
    slower.length === 0
      ? "No case is slower than tfjs's."
      : `${slower.length} of ${rows.length - lacking.length} cases are slower than tfjs's:`,
    ...slower.map((name) => `  ${ratioOf.get(name)}×  ${name}`),
    ...lacking.map(lackingLine),
  ];
}

const lackingLine = ({ name, tfjs }: Row): string =>
  `tfjs cannot do ${name}: ${(tfjs as { lacking: string }).lacking}`;

/** Three figures at least: 0.0123, 12.3, 1,234. */
export const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
