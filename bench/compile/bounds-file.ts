import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { CARD_NAMES } from "../../src/train/forecast/predict/cards.ts";
import { boundKey } from "../../src/train/forecast/predict/predict.ts";
import { FAMILIES } from "./families.ts";
import { labRows } from "./figures.ts";
import type { LabRow } from "./figures.ts";
import { compileFor } from "./lab.ts";
import { stepsOn } from "./task.ts";

const FILE = fileURLToPath(new URL("../../src/train/forecast/predict/bounds.ts", import.meta.url));
/** With convolutions of every kind between them. */
const ENCODERS = ["densenet121", "efficientnetb0"];

/**
 * Writes the bounds that predictions take from here (`src/train/forecast/predict/bounds.ts`): for every card that is both
 * compiled for and predicted for, and each kernel of products there, the share of the peak within its reach.
 */
export async function writeBounds(
  size: { readonly imageSize: number; readonly batchSize: number },
  say: (text: string) => void,
): Promise<void> {
  const steps = stepsOn(ENCODERS);
  const cards: Record<string, Record<string, number>> = {};
  let driver = "";
  for (const name of CARD_NAMES.filter((card) => Object.hasOwn(FAMILIES, card))) {
    const { adapter, pipelines } = await compileFor(name, { ...size, steps });
    driver = adapter;
    cards[name] = boundsOf(labRows(pipelines, FAMILIES[name]));
    say(`${name}: ${Object.keys(cards[name]).length} kernels of ${pipelines.length} pipelines`);
  }
  const text = `/** Written by \`npm run bench:compile -- --bounds\`: shares of a card's peak that kernels leave within reach. */
export const BOUNDS: {
  /** What it was written by, and whose compiler was asked. */
  readonly command: string;
  readonly driver: string;
  /** By card and then by \`boundKey\`. */
  readonly cards: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;
} = ${literal({ command: "npm run bench:compile -- --bounds", driver, cards })};
`;
  await writeFile(FILE, text);
  say(`Written to ${FILE}.`);
}

/** Of each kernel: all its dispatches' operations over the time that they take at least, as a share of the peak. */
export function boundsOf(rows: readonly LabRow[]): Record<string, number> {
  const sums = new Map<string, { flops: number; time: number }>();
  for (const { pipeline, figures } of rows) {
    if (!figures?.loop) continue;
    const key = boundKey(pipeline.label, pipeline.product?.family);
    const flops = pipeline.flops.reduce((a, b) => a + b, 0);
    const sum = sums.get(key) ?? { flops: 0, time: 0 };
    sums.set(key, { flops: sum.flops + flops, time: sum.time + flops / figures.loop.bound });
  }
  const bounds = [...sums].map(([key, { flops, time }]): [string, number] => [key, flops / time]);
  return Object.fromEntries(
    bounds
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, bound]): [string, number] => [key, Number(bound.toFixed(3))]),
  );
}

/** As prettier prints it. */
function literal(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const lines = Object.entries(value).map(([key, each]) => {
    const name = /^\w+$/.test(key) ? key : JSON.stringify(key);
    return `${indent}  ${name}: ${literal(each, `${indent}  `)},\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}
