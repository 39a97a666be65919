/**
 * @file `npm run ablate`: what each choice of a recipe is worth on this adapter. Every row is a run of its own that changes one choice of the
 * recipe; with `--budget` all take as long, so that what a choice costs in time is in its row.
 *
 *     npm run ablate -- --data DIR --weights FILE --budget 6m --seeds 1,2,3 --json
 *
 * Stopped or killed, the same command goes on where it stood.
 */
import { basename } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { describeAdapter } from "../src/adapter/adapters.ts";
import { openGpu } from "../src/adapter/open-gpu.ts";
import { namesOf } from "../src/cli/names-option.ts";
import { runCommand } from "../src/cli/run-command.ts";
import { addSettingOptions, saidOnCommandLine } from "../src/cli/setting-options.ts";
import { userPath } from "../src/cli/user-path.ts";
import { ConfigError, SETTING_NAMES } from "../src/config/index.ts";
import type { TrainConfig } from "../src/config/index.ts";
import { writeJson } from "../src/runs/run-folder.ts";
import { createProgress } from "../src/runs/progress.ts";
import { ablate, describeAblation } from "./ablation/ablate.ts";
import type { AblationRun } from "./ablation/ablate.ts";
import { ROWS } from "./ablation/rows.ts";
import { ablationTable, rowResults } from "./ablation/table.ts";

interface Flags {
  readonly seeds: readonly number[];
  readonly only?: readonly string[];
  readonly out: string;
  readonly json?: string | true;
  readonly dryRun?: true;
}

function seedsOf(text: string): number[] {
  const seeds = text.split(",").map(Number);
  if (seeds.some((seed) => !Number.isInteger(seed) || seed < 0))
    throw new InvalidArgumentError("They must be whole numbers with commas, such as 1,2,3.");
  return [...new Set(seeds)];
}

const command = new Command("ablate")
  .description(
    "Tries each choice of a recipe, the preset quick with the settings below, in a run of its own, and prints a table.",
  )
  .addOption(
    new Option("--seeds <N,N…>", "a run of each row with each of them").argParser(seedsOf).default([0]),
  )
  .addOption(
    new Option("--only <NAMES>", `some rows of ${ROWS.map(({ name }) => name).join(", ")}`).argParser(
      namesOf(ROWS.map(({ name }) => name)),
    ),
  )
  .addOption(
    new Option("--out <DIR>", "the runs go to folders below this one")
      .argParser(userPath)
      .default("runs/ablation"),
  )
  .addOption(
    new Option(
      "--json [FILE]",
      "also write all figures, to bench/results/ablation-<adapter>.json by default",
    ).argParser(userPath),
  )
  .option("--dry-run", "list the runs and how long they take, then end");
addSettingOptions(
  command,
  SETTING_NAMES.filter((name) => !["seed", "out", "name"].includes(name)),
);

await runCommand(command, async (signal) => {
  const { seeds, only, out, json, dryRun } = command.opts<Flags>();
  const said = saidOnCommandLine(command);
  if (!said.budget && !said.stepsPerEpoch)
    throw new ConfigError(
      "Say how long a run is: --budget 6m, or --steps-per-epoch N for rows that can be made again elsewhere.",
    );
  const { adapter } = said as { adapter?: string };
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const job = {
    ...{ rows: ROWS.filter(({ name }) => !only || only.includes(name)), seeds, out, say, signal },
    said: { ...said, seed: undefined, out: undefined, name: undefined },
    open: () => openGpu(adapter ? { adapter } : {}),
    observers: [() => createProgress(process.stderr)],
  };
  if (dryRun) return describeAblation({ ...job, say: (line) => void process.stdout.write(`${line}\n`) });
  const runs = await ablate(job);
  process.stdout.write(`${ablationTable(runs)}\n\n${adapters(runs)}\n`);
  if (json === undefined) return;
  const file = json === true ? await defaultFile(job.open) : json;
  const figures = runs.map((run) => ({ ...run, config: withoutFolders(run.config) }));
  await writeJson(file, { adapter: adapters(runs), rows: rowResults(runs), runs: figures });
  say(`Written: ${file}`);
});

/** The settings without where things lie on this machine. */
function withoutFolders({ data, weights, ...config }: TrainConfig): TrainConfig {
  return { ...config, out: null, data: data && basename(data), weights: weights && basename(weights) };
}

function adapters(runs: readonly AblationRun[]): string {
  return [...new Set(runs.map(({ adapter }) => adapter))].join("; ");
}

/** `bench/results/ablation-lavapipe-25.0.7.json` */
async function defaultFile(open: () => ReturnType<typeof openGpu>): Promise<string> {
  const gpu = await open();
  const { kind, name, driver } = describeAdapter(gpu);
  gpu.destroy();
  const version = /\d+(\.\d+)+/.exec(driver)?.[0];
  const words = [kind === "hardware" ? name : kind, ...(version ? [version] : [])].join(" ");
  return `bench/results/ablation-${words.replace(/[^\w.]+/g, "-").toLowerCase()}.json`;
}
