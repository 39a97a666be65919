/**
 * @file What the real compiler of a GPU makes of a training step's kernels, with no GPU there: `npm run bench:compile --
 * --family navi31`. Mesa's RADV compiles every pipeline of both phases for an AMD card that is not there; the table says for
 * each what it takes of the card, and how much of the card's peak its inner loop leaves within reach (see figures.ts).
 * `-- --all` compiles every encoder for every card, or for that of `--family`, and says which pipelines break a budget (see
 * budgets.ts).
 *
 * Nothing runs: these are figures of machine code, not times.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Command, Option } from "commander";
import { DEFAULT_ENCODER, ENCODER_NAMES } from "../src/layers/networks/encoders.ts";
import { PRECISIONS } from "../src/config/precision.ts";
import type { Precision } from "../src/config/precision.ts";
import { PHASES } from "../src/runs/phase.ts";
import type { Phase } from "../src/runs/phase.ts";
import { positive, run, side } from "./command.ts";
import { writeBounds } from "./compile/bounds-file.ts";
import { violation } from "./compile/budgets.ts";
import { FAMILIES, peakTeraflops } from "./compile/families.ts";
import { labRows } from "./compile/figures.ts";
import { compileFor } from "./compile/lab.ts";
import { COLUMNS, mostTeraflops, pipelineTable } from "./compile/report.ts";
import { sweep } from "./compile/sweep.ts";
import { formatContribution, shippedFrom } from "../src/graph/autotune/contribution.ts";
import { DAWN_VERSION } from "../src/adapter/dawn-version.ts";
import { describeTile } from "../src/kernels/conv2d/tiles.ts";
import { predictedProducts } from "./compile/predicted-tiles.ts";

interface Options {
  readonly family?: string;
  readonly size: number;
  readonly batch: number;
  readonly precision: Precision;
  readonly encoder: string;
  readonly phase: Phase | "both";
  readonly all?: boolean;
  readonly bounds?: boolean;
  readonly json?: string;
  readonly tiles?: string;
  readonly table?: boolean;
}

async function main(options: Options): Promise<void> {
  const { size: imageSize, batch: batchSize } = options;
  if (options.all) {
    const families = options.family === undefined ? Object.keys(FAMILIES) : [options.family];
    const broken = await sweep(families, { imageSize, batchSize }, console.log);
    if (broken > 0) throw new Error(`${broken} pipelines break a budget (bench/compile/budgets.ts).`);
    return;
  }
  if (options.bounds) return writeBounds({ imageSize, batchSize }, console.log);
  const { family: name = "navi31", precision, encoder, phase } = options;
  const phases = phase === "both" ? PHASES : [phase];
  const steps = phases.map((each) => ({ encoder, precision, phase: each }));
  if (options.tiles !== undefined) return predictTiles(name, options, options.tiles);
  const { adapter, pipelines } = await compileFor(name, {
    imageSize,
    batchSize,
    steps,
    table: options.table ?? false,
  });
  const family = FAMILIES[name];
  const rows = labRows(pipelines, family);
  const title = options.table
    ? "the table's ops, forward and backward"
    : `${encoder}, ${batchSize} photos of ${imageSize}×${imageSize}, ${precision}, ${phases.join(" and ")}`;
  console.log(`${name}: ${family.card}, compiled by ${adapter}; ${title}\n`);
  console.log(`${pipelineTable(rows)}\n\n${COLUMNS}\n`);
  const most = mostTeraflops(rows, family);
  const peaks = `${peakTeraflops(family, false).toFixed(1)} TFLOP/s of f32${
    family.matrixClocks === null ? "" : `, ${peakTeraflops(family, true).toFixed(1)} of f16 in matrices`
  }`;
  if (most !== null)
    console.log(`All products together: at most ${most.toFixed(1)} TFLOP/s; the card's peak is ${peaks}.`);
  for (const row of rows) {
    const sentence = violation(row);
    if (sentence !== null) console.log(`Breaks a budget: ${row.pipeline.label} ${sentence}.`);
  }
  if (options.json !== undefined) {
    const result = { family: name, card: family.card, adapter, imageSize, batchSize, steps };
    const listed = rows.map(({ pipeline: { label, product, flops, dispatches, problem }, figures }) => ({
      ...{ label, product, flops, dispatches, problem, figures },
    }));
    await mkdir(dirname(options.json), { recursive: true });
    const text = JSON.stringify({ ...result, mostTeraflops: most, pipelines: listed }, null, 2);
    await writeFile(options.json, `${text}\n`);
  }
}

/** Writes the file of tiles that the lab predicts; see `contribution.ts`. */
async function predictTiles(family: string, { size, batch, encoder }: Options, file: string): Promise<void> {
  const precisions = FAMILIES[family].matrixClocks === null ? (["f32"] as const) : PRECISIONS;
  const steps = precisions.map((precision) => ({ encoder, precision, phase: "finetune" as const }));
  const task = { imageSize: size, batchSize: batch, steps, everyTile: true };
  const { adapter, target, pipelines } = await compileFor(family, task);
  const products = predictedProducts(pipelines, FAMILIES[family]);
  const contribution = {
    family: FAMILIES[family].vendorFamily,
    source: "lab" as const,
    adapter: FAMILIES[family].card,
    driver: adapter,
    dawn: DAWN_VERSION,
    date: new Date().toISOString().slice(0, 10),
    workload: `fine-tuning steps, ${encoder}, ${batch} photos of ${size}×${size}, ${precisions.join(" and ")}`,
    target,
    products,
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, formatContribution(contribution));
  const { tiles } = shippedFrom(new Map([[file, contribution]]));
  console.log(
    `${pipelines.length} tiles of ${products.length} products compiled for ${family}; other than the rules':`,
  );
  for (const [name, tile] of Object.entries(tiles)) console.log(`  ${name}: ${describeTile(tile)}`);
  console.log(`Written: ${file}`);
}

const command = new Command("bench:compile")
  .description("Compiles a training step's kernels with Mesa's RADV for a card that need not be there.")
  .addOption(new Option("--family <name>", "the card; navi31 by default").choices(Object.keys(FAMILIES)))
  .option("--size <pixels>", "side of the square photos, a multiple of 32", side, 128)
  .option("--batch <photos>", "photos a step", positive, 64)
  .addOption(
    new Option("--precision <type>", "what activations are stored in").choices(PRECISIONS).default("f32"),
  )
  .addOption(
    new Option("--encoder <name>", "the encoder").choices(ENCODER_NAMES).default(DEFAULT_ENCODER.name),
  )
  .addOption(new Option("--phase <phase>", "which phase").choices([...PHASES, "both"]).default("both"))
  .option("--all", "every encoder in f32 and f16, a line each, on every card or that of --family")
  .option("--table", "the ops of test/graph/ops/table.ts instead of a training step")
  .option("--bounds", "write what train --dry-run --predict takes from here")
  .option("--json <file>", "also write the figures to a file")
  .option(
    "--tiles <file>",
    "compile every tile that the products of a fine-tuning step could have, and write what is predicted of each",
  );
await run(command, main);
