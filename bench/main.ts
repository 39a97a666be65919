/**
 * @file Times every kernel at the shapes of the U-Net on DenseNet121: `npm run bench -- --size 64 --batch 2`.
 *
 * Beside each case stand the rates it reaches, its share of what this adapter does at best (a: of its arithmetic, m: of its
 * memory, whichever the work meets first), and tfjs's WebGPU backend at the same work on the same adapter, in turns with ours.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { Command } from "commander";
import { describeAdapter } from "../src/adapter/adapters.ts";
import { openGpu } from "../src/adapter/open-gpu.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import type { BenchCase } from "./bench-case.ts";
import { benchCases, matches } from "./cases/cases.ts";
import { idealTime, measureCeilings } from "./ceilings.ts";
import type { Ceilings } from "./ceilings.ts";
import { positive, run, side } from "./command.ts";
import { largestDifference, prepareOurs, prepareTfjs } from "./contender.ts";
import type { Contender } from "./contender.ts";
import { compare } from "./measure.ts";
import { figure, summarize, summaryLines, tableHead, tableRow } from "./report.ts";
import type { Row } from "./report.ts";
import { startTfjsWebGpu } from "./tfjs-webgpu.ts";

const CLASSES = 59;

interface Options {
  readonly size: number;
  readonly batch: number;
  readonly filter: string;
  /** A file, or true for the standard output. */
  readonly json?: string | true;
  readonly tfjs: boolean;
  readonly time: number;
}

async function main({ size, batch, filter, json, tfjs, time }: Options): Promise<void> {
  const print = json === true ? console.error : console.log;
  const cases = benchCases({ size, batch, classes: CLASSES }).filter((each) => matches(each, filter));
  if (cases.length === 0) throw new Error(`No case has "${filter}" in its name.`);
  const start = performance.now();
  const gpu = await openGpu();
  try {
    if (tfjs) {
      // Without it tfjs greets whoever runs it in Node.
      tf.enableProdMode();
      await startTfjsWebGpu();
    }
    const ceilings = await measureCeilings(gpu);
    print(`${gpu.adapterName}, ${batch} images of ${size}×${size}`);
    print(
      `ceilings: ${figure(ceilings.gflopPerSecond)} GFLOP/s (fma, f32), ${figure(ceilings.gbPerSecond)} GB/s (copy)\n`,
    );
    print(tableHead());
    const rows: Row[] = [];
    for (const each of cases) {
      const row = await measureCase(gpu, each, ceilings, { tfjs, time });
      rows.push(row);
      print(tableRow(row));
    }
    const summary = summarize(rows);
    const seconds = (performance.now() - start) / 1000;
    print("");
    for (const line of summaryLines(rows, summary)) print(line);
    print(`${gpu.adapterName}, ${batch} images of ${size}×${size}, ${seconds.toFixed(0)} s.`);
    const result = { ...context(gpu), size, batch, ceilings, summary, seconds, rows };
    const text = `${JSON.stringify(result, null, 2)}\n`;
    if (json === true) process.stdout.write(text);
    else if (json !== undefined) {
      await mkdir(dirname(json), { recursive: true });
      await writeFile(json, text);
    }
  } finally {
    gpu.destroy();
  }
}

async function measureCase(
  gpu: Gpu,
  each: BenchCase,
  ceilings: Ceilings,
  { tfjs, time }: Pick<Options, "tfjs" | "time">,
): Promise<Row> {
  const { name, shape, direction, flops, bytes, comparable } = each;
  const start = performance.now();
  const ours = await prepareOurs(gpu, each.ours());
  const prepareMs = performance.now() - start;
  let theirs: Contender | null = null;
  let lacking = "";
  let difference: number | null = null;
  try {
    if (tfjs) {
      try {
        theirs = await prepareTfjs(gpu, () => each.theirs());
      } catch (error) {
        lacking = (error as Error).message;
      }
    }
    if (theirs && comparable) difference = largestDifference(await ours.read(), await theirs.read());
    const comparison = await compare(ours, theirs, time);
    const { median } = comparison.ours;
    const ideal = idealTime(each, ceilings);
    return {
      ...{ name, shape, direction, prepareMs, ours: comparison.ours },
      gflopPerSecond: flops === null ? null : flops / median / 1e6,
      gbPerSecond: bytes / median / 1e6,
      bound: ideal.bound,
      share: ideal.ms / median,
      tfjs: comparison.theirs
        ? { theirs: comparison.theirs, ratio: comparison.ratio!, difference }
        : tfjs
          ? { lacking }
          : null,
    };
  } finally {
    ours.destroy();
    theirs?.destroy();
  }
}

/** What a figure is worth nothing without. */
function context({ info }: Gpu): Record<string, unknown> {
  const { name, driver, software } = describeAdapter({ info });
  return {
    date: new Date().toISOString(),
    ...{ adapter: name, driver, software },
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    tfjs: tf.version_core,
  };
}

const command = new Command("bench")
  .description(
    "Times every kernel at the network's shapes, beside tfjs's WebGPU backend on the same adapter.",
  )
  .option("--size <pixels>", "side of the square photos, a multiple of 32", side, 64)
  .option("--batch <photos>", "photos a step", positive, 2)
  .option("--filter <text>", "only cases with this in their name", "")
  .option("--time <ms>", "how long a case is sampled", positive, 400)
  .option("--no-tfjs", "leave tfjs out")
  .option("--json [file]", "also write the numbers to a file, or to the standard output");
await run(command, main);
