/**
 * @file What the real compiler of a GPU makes of a training step's kernels, with no GPU there: `npm run bench:compile --
 * --family navi31`. Mesa's RADV compiles every pipeline of both phases for an AMD card that is not there; the table says for
 * each what it takes of the card, and how much of the card's peak its inner loop leaves within reach (see figures.ts).
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
import { FAMILIES } from "./compile/families.ts";
import { figuresOf } from "./compile/figures.ts";
import { compileFor } from "./compile/lab.ts";
import { boundOfAll, COLUMNS, pipelineTable } from "./compile/report.ts";
import type { LabRow } from "./compile/report.ts";

interface Options {
  readonly family: string;
  readonly size: number;
  readonly batch: number;
  readonly precision: Precision;
  readonly encoder: string;
  readonly phase: Phase | "both";
  readonly json?: string;
}

async function main(options: Options): Promise<void> {
  const { family, size, batch, precision, encoder, phase } = options;
  const phases = phase === "both" ? PHASES : [phase];
  const steps = phases.map((each) => ({ encoder, precision, phase: each }));
  const { adapter, pipelines } = await compileFor(family, { imageSize: size, batchSize: batch, steps });
  const rows: LabRow[] = pipelines.map((pipeline) => ({
    pipeline,
    figures: pipeline.record && figuresOf(pipeline, pipeline.record, FAMILIES[family]),
  }));
  const title = `${encoder}, ${batch} photos of ${size}×${size}, ${precision}, ${phases.join(" and ")}`;
  console.log(`${family}: ${FAMILIES[family].card}, compiled by ${adapter}; ${title}\n`);
  console.log(`${pipelineTable(rows)}\n\n${COLUMNS}`);
  const bound = boundOfAll(rows);
  if (bound !== null)
    console.log(`\nAll products together: at most ${(100 * bound).toFixed(0)} % of the peak.`);
  if (options.json !== undefined) {
    const figures = rows.map(({ pipeline: { label, product, flops, dispatches, problem }, figures }) => ({
      ...{ label, product, flops, dispatches, problem, figures },
    }));
    await mkdir(dirname(options.json), { recursive: true });
    const result = { family, card: FAMILIES[family].card, adapter, size, batch, encoder, precision, phases };
    await writeFile(options.json, `${JSON.stringify({ ...result, bound, pipelines: figures }, null, 2)}\n`);
  }
}

const command = new Command("bench:compile")
  .description("Compiles a training step's kernels with Mesa's RADV for a card that need not be there.")
  .addOption(new Option("--family <name>", "the card").choices(Object.keys(FAMILIES)).default("navi31"))
  .option("--size <pixels>", "side of the square photos, a multiple of 32", side, 128)
  .option("--batch <photos>", "photos a step", positive, 64)
  .addOption(
    new Option("--precision <type>", "what activations are stored in").choices(PRECISIONS).default("f32"),
  )
  .addOption(
    new Option("--encoder <name>", "the encoder").choices(ENCODER_NAMES).default(DEFAULT_ENCODER.name),
  )
  .addOption(new Option("--phase <phase>", "which phase").choices([...PHASES, "both"]).default("both"))
  .option("--json <file>", "also write the figures to a file");
await run(command, main);
