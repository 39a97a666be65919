/** @file One sitting on a machine with a GPU: `node --import tsx bench/gpu/sitting.ts first`, then `second`. See README.md. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { positive, run, side } from "../command.ts";
import { articleRuns, measurements } from "./parts.ts";
import { runParts } from "./run-parts.ts";

interface Options {
  readonly out: string;
  readonly total?: number;
  readonly size: number;
  readonly batch: number;
  readonly steps: number;
  readonly rehearsal: boolean;
  readonly data: string;
}

const TOTAL = { first: 390, second: 270 } as const;

/** What a run leaves that is worth carrying home; its checkpoints are not. */
const KEPT = ["config.json", "environment.json", "history.csv", "summary.json", "tiles.json", "figures"];

async function main(half: keyof typeof TOTAL, options: Options): Promise<void> {
  const { out, data, total = TOTAL[half] } = options;
  mkdirSync(out, { recursive: true });
  const parts =
    half === "first" ? measurements(options) : articleRuns({ ...options, encoder: encoderIn(data) });
  await runParts(parts, { out, file: `${half}.json`, total }, (line) => console.log(line));
  if (half === "first") keepDoctor(out);
  else
    keepSummaries(
      out,
      parts.map(({ name }) => name),
    );
  // One file to carry home.
  const files = readdirSync(out).filter((name) => !name.endsWith(".tar.gz"));
  execFileSync("tar", ["czf", `${half}.tar.gz`, ...files], { cwd: out });
  for (const name of files) rmSync(join(out, name), { recursive: true });
  console.log(`${join(out, `${half}.tar.gz`)} holds ${files.join(", ")}`);
}

function encoderIn(data: string): string {
  const file = readdirSync(data).find((name) => name.startsWith("encoder."));
  if (file === undefined)
    throw new Error(
      `${data} has no encoder's weights: pack them with bench:gpu:pack -- --data … --weights ….`,
    );
  return join(data, file);
}

/** The doctor prints what others write to a file. */
function keepDoctor(out: string): void {
  const log = readFileSync(join(out, "doctor.log"), "utf8");
  const [json] = /^\{[\s\S]*^\}/m.exec(log) ?? [];
  if (json !== undefined) writeFileSync(join(out, "doctor.json"), `${json}\n`);
}

function keepSummaries(out: string, names: readonly string[]): void {
  const there = new Set(readdirSync(out));
  for (const name of names.filter((each) => there.has(each))) {
    for (const file of readdirSync(join(out, name)))
      if (!KEPT.includes(file)) rmSync(join(out, name, file), { recursive: true });
  }
}

const command = new Command("bench:gpu")
  .description(
    "Measures this project on a machine with a GPU, within a bounded time; see bench/gpu/README.md.",
  )
  .addArgument(
    new Argument("<half>", "first: steps and kernels; second: the article's runs").choices(
      Object.keys(TOTAL),
    ),
  )
  .option("--out <folder>", "where results go", ".gpu/out")
  .option("--total <seconds>", "seconds in all (390, the second 270)", positive)
  .option("--size <pixels>", "side of the photos", side, 128)
  .option("--batch <photos>", "photos a step", positive, 64)
  .option("--steps <count>", "steps timed in each way", positive, 30)
  .option("--data <folder>", "what pack.ts made of the photos", ".gpudata")
  .option("--rehearsal", "leave out what no software adapter runs, and shorten the runs", false);

await run(command, (options: Options) => main(command.args[0] as keyof typeof TOTAL, options));
