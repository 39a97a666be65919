import { fetchedData, fetchedWeights } from "../fetch/fetched.ts";
import { DEFAULT_ENCODER, encoderNamed, ENCODERS } from "../layers/networks/encoders.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { ConfigError, openBudget, readConfigFile, resolveConfig } from "../config/index.ts";
import type { AdapterKind, Said, Source, TrainConfig } from "../config/index.ts";
import { dryRun } from "../train/forecast/dry-run.ts";
import { parseSize, sizeText } from "../image-size.ts";
import { createProgress, formatDuration } from "../runs/progress.ts";
import { resumedConfig } from "../train/resume.ts";
import { RunFolder } from "../runs/run-folder.ts";
import { stragglerSentence } from "../runs/straggler.ts";
import { tensorBoard } from "../runs/tensorboard/tensorboard.ts";
import { train } from "../train/train.ts";
import type { Summary } from "../runs/summary.ts";
import type { TrainJob } from "../train/train.ts";
import type { StepDetail } from "../train/forecast/step-detail.ts";
import { serveRun } from "../ui/serve-run.ts";
import type { RunServer } from "../ui/serve-run.ts";
import { describeAdapter } from "../adapter/adapters.ts";
import { messageOf } from "../message-of.ts";
import { Communicator } from "../mpi/communicator.ts";
import { launchRanks } from "../mpi/launch-ranks.ts";
import { refuseUncounted, startedRanks } from "../mpi/started-ranks.ts";
import { failsOnAllRanks } from "../train/alike.ts";
import { openTrainingGpu } from "./open-training-gpu.ts";
import { runCommand } from "./run-command.ts";
import { saidOnCommandLine } from "./setting-options.ts";
import { trainCommand } from "./definitions/train.ts";
import type { TrainFlags } from "./definitions/train.ts";
import { programLine } from "../files/package.ts";

const command = trainCommand();

await runCommand(command, async (interrupted) => {
  const flags = command.opts<TrainFlags>();
  refuseUncounted();
  const started = startedRanks();
  const say = (sentence: string): void =>
    started && started.rank > 0 ? undefined : void process.stdout.write(`${sentence}\n`);
  if (flags.resume !== undefined && flags.config !== undefined)
    throw new ConfigError("--resume goes on with the run's own settings: leave out --config.");
  if (flags.predict !== undefined && !flags.dryRun)
    throw new ConfigError("--predict says what a run would take and makes none: add --dry-run.");
  if (flags.dryRun && (started || (flags.ranks ?? 1) > 1))
    throw new ConfigError("--dry-run looks at one process: leave out --ranks and mpiexec.");
  if (flags.ranks !== undefined && started && flags.ranks !== started.size) {
    throw new ConfigError(
      `mpiexec started ${started.size} ranks and --ranks says ${flags.ranks}: leave out --ranks.`,
    );
  }
  if ((flags.ranks ?? 1) > 1 && !started) {
    process.exitCode = await launchRanks(flags.ranks!);
    return;
  }
  const resume = flags.resume === undefined ? undefined : await RunFolder.open(flags.resume);
  const commandLine: Source = { file: null, said: saidOnCommandLine(command) };
  const sources =
    flags.config === undefined ? [commandLine] : [await readConfigFile(flags.config), commandLine];

  const configFor = async (kind: AdapterKind): Promise<TrainConfig> =>
    resume
      ? resumedConfig(resume, commandLine.said)
      : resolveConfig([await fetched(sources), ...sources], kind);
  // Settings that cannot be used are told of before an adapter is opened.
  const asked = await configFor("hardware");
  const page =
    flags.ui === undefined || flags.dryRun || (started?.rank ?? 0) > 0
      ? undefined
      : await openPage(flags.ui, say);
  let gpu: Gpu | undefined;
  const ranks = started ? await Communicator.join() : undefined;
  try {
    gpu = await openTrainingGpu(asked, ranks, say);
    const { kind } = describeAdapter(gpu);
    const config = await configFor(kind);
    say(describe(config));
    if (flags.dryRun) {
      const { predict } = flags;
      return await dryRun({ config, gpu, say, resume, predict, signal: interrupted });
    }

    const observers: NonNullable<TrainJob["observers"]>[number][] = [() => createProgress(process.stdout)];
    if (config.tensorboard) observers.push(({ tensorboard }) => tensorBoard(tensorboard, say));
    if (page) observers.push(() => page.observer);
    const summary = await train({
      config,
      gpu,
      say,
      observers,
      resume,
      signal: interrupted,
      detail: stepDetail(),
      ranks,
    });
    if (summary === null) return;
    const minutes = summary.seconds < 120 ? "" : ` (${(summary.seconds / 60).toFixed(1)} minutes)`;
    say(
      `val_accuracy ${summary.val_accuracy.toFixed(4)} on ${summary.validation_photos} photos (background everywhere: ` +
        `${summary.background_accuracy.toFixed(4)})${bestOf(summary)}, ${summary.steps} steps in ${summary.seconds.toFixed(0)} s${minutes}; ` +
        `${(100 * summary.data_wait_share).toFixed(1)} % of it waiting for data${waitingOf(summary)}`,
    );
    const straggler = ranks && stragglerSentence(summary.rank_wait_seconds!, ranks.hosts, summary.seconds);
    if (straggler) say(straggler);
  } catch (error) {
    // The others would wait for a rank that has failed alone.
    if (ranks && !interrupted.aborted && !failsOnAllRanks(error)) ranks.abort(messageOf(error));
    throw error;
  } finally {
    await page?.close();
    gpu?.destroy();
    await ranks?.close();
  }
});

/** The best epoch where another figure than the accuracy decides which it is. */
function bestOf({ monitor, best_value, best_epoch }: Summary): string {
  return monitor === "val_accuracy" || best_value === null
    ? ""
    : `, best ${monitor} ${best_value.toFixed(4)} after epoch ${best_epoch}`;
}

/** How long ranks waited for one another, and for which: the one that waited least was waited for. */
function waitingOf({
  rank_wait_seconds: waits,
  rank_exchange_seconds: exchanges = [],
  rank_exchange_overlap: overlaps = [],
}: Summary): string {
  if (!waits) return "";
  const [least, most] = [Math.min(...waits), Math.max(...waits)];
  const longest = Math.max(...exchanges);
  const overlap = 100 * overlaps[exchanges.indexOf(longest)];
  return (
    `; ranks waited ${least.toFixed(1)} to ${most.toFixed(1)} s in exchanges, rank ${waits.indexOf(least)} least; gradients took up to ` +
    `${longest.toFixed(1)} s, ${overlap.toFixed(0)} % of it while the backward pass went on`
  );
}

/** How much `BESPOKE_DEBUG` asks to be told: 1 what a step runs, 2 also how long each kernel takes. */
function stepDetail(): StepDetail | undefined {
  const level = process.env.BESPOKE_DEBUG;
  if (level === "2") return "kernels";
  return level === "1" ? "plan" : undefined;
}

/** What `npm run fetch` has brought, for settings that nobody has said. */
async function fetched(sources: readonly Source[]): Promise<Source> {
  const said = Object.assign({}, ...sources.map((source) => source.said)) as Said;
  const brought: { -readonly [Key in keyof Said]: Said[Key] } = {};
  if (said.data === undefined) brought.data = (await fetchedData()) ?? undefined;
  if (said.weights === undefined) brought.weights = (await weightsOf(said.encoder)) ?? undefined;
  return { file: null, said: brought };
}

/**
 * The weights that `npm run fetch` has brought of an encoder.
 *
 * @throws ConfigError where there are none of one that somebody has asked for
 */
async function weightsOf(name: unknown): Promise<string | null> {
  const encoder = ENCODERS.find((each) => each.name === (name ?? DEFAULT_ENCODER.name));
  // What is no encoder is told of with the other settings.
  const weights = encoder === undefined ? null : await fetchedWeights(encoder);
  if (encoder === undefined || name === undefined || weights !== null) return weights;
  throw new ConfigError(
    `There are no weights of ${encoder.title} here: \`${programLine("fetch", "--encoder", encoder.name)}\` brings those trained on ImageNet, or ` +
      "give --weights FILE, or --weights none to begin with random ones.",
  );
}

function describe(config: TrainConfig): string {
  const { preset, encoder, imageSize, batchSize, accumulate, precision } = config;
  const { epochsFrozen, epochsFinetune, stepsPerEpoch } = config;
  const budget = openBudget(config);
  const steps =
    budget !== null
      ? ` in about ${formatDuration(budget)}`
      : stepsPerEpoch === null
        ? ""
        : ` of ${stepsPerEpoch} steps`;
  const parts = accumulate === 1 ? "" : ` in ${accumulate} micro-batches`;
  const stored = precision === "f32" ? "" : `, activations in ${precision}`;
  const network = encoder === DEFAULT_ENCODER.name ? "" : `${encoderNamed(encoder).title}, `;
  return `Preset ${preset}: ${network}${sizeText(parseSize(imageSize)!)}, batch ${batchSize}${parts}, ${epochsFrozen} + ${epochsFinetune} epochs${steps}${stored}`;
}

async function openPage(port: true | number, say: (sentence: string) => void): Promise<RunServer> {
  const page = await serveRun(port === true ? {} : { port });
  say(`Live page: ${page.url}`);
  return page;
}
