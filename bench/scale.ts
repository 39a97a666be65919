/**
 * @file How training scales with ranks, and labelling with workers: `npm run bench:scale`.
 *
 * Measures, on this machine, a step of one rank (fine-tuning of the real network) and when its gradients are there, all-reduces by size
 * between two ranks, and the step of two ranks; holds that step against what the model says (`bench/scale/all-reduce-model.ts`), and says what
 * the model makes of 2 to 256 ranks on other links. Then how many photos one worker labels in a second, and what that makes of a billion.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import { positive, run, side } from "./command.ts";
import { exposedSeconds, fitLines, secondsBy } from "./scale/all-reduce-model.ts";
import type { Link } from "./scale/all-reduce-model.ts";
import { forecastBulk } from "./scale/bulk-model.ts";
import { forecastTraining } from "./scale/forecast-training.ts";
import type { Step } from "./scale/forecast-training.ts";
import { measureBulk } from "./scale/measure-bulk.ts";
import { runAlone, runPair } from "./scale/processes.ts";
import { bulkLines, exchangeLines, forecastLines, pairLines, stepLines } from "./scale/report.ts";
import { median } from "./step/times.ts";

interface Options {
  readonly size: number;
  readonly batch: number;
  readonly steps: number;
  readonly photos: number;
  readonly stepMs: number;
  readonly hostLink: number;
  readonly sum: number;
  readonly link: readonly Link[];
  readonly json?: string;
}

/** 4 kB to 65 MB, each four times as long. */
const LENGTHS = Array.from({ length: 8 }, (_, i) => 4096 * 4 ** i)
  .filter((bytes) => bytes < 64e6)
  .concat(65_536_000);

/** The assumption that sums are made at 10 GB/s, as by one core. */
const SUM_GIGABYTES = 10;

/** An option's value: `NAME:MICROSECONDS:GIGABITS`. */
function link(text: string): Omit<Link, "perSum"> {
  const [name, latency, gigabits] = text.split(":");
  if (!name || !(Number(latency) >= 0) || !(Number(gigabits) > 0))
    throw new InvalidArgumentError("It must be a name, microseconds and Gbit/s: mine:5:200.");
  return { name, latency: Number(latency) * 1e-6, perByte: 8e-9 / Number(gigabits) };
}

const LINKS = ["10 GbE:30:10", "100 GbE:5:100", "NVLink-class:5:1600"].map(link);

function above0(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

async function main(options: Options): Promise<void> {
  const { size, batch, steps, photos } = options;
  const folder = await mkdtemp(join(tmpdir(), "bespoke-scale-"));
  try {
    const checkpoint = join(folder, "network.safetensors");
    const say = (lines: readonly string[]): void => console.log(`${lines.join("\n")}\n`);
    // As long as both cores are at work, each is as slow as when ranks share the machine.
    const both = await Promise.all(
      [0, 1].map((core) =>
        runAlone({ size, batch, steps, lengths: [], ...(core === 0 && { checkpoint }) }, core),
      ),
    );
    const [{ adapter, buckets }] = both;
    const stepSeconds = both[0].stepSeconds.map((seconds, i) => Math.max(seconds, both[1].stepSeconds[i]));
    const step: Step = { seconds: median(stepSeconds), buckets };
    say(stepLines(adapter, stepSeconds, step, { size, batch }));
    const pair = await runPair({ size, batch, steps, lengths: LENGTHS });
    const fitted = fitLines(pair.allReduces);
    say(exchangeLines(pair.allReduces, fitted));
    const exposed = exposedSeconds(buckets, (bytes) => secondsBy(fitted, bytes), true);
    const predicted = step.seconds + exposed;
    const measured = median(pair.stepSeconds);
    say(pairLines(step.seconds, predicted, pair.stepSeconds));

    const links = [...LINKS, ...options.link].map((each) => ({ ...each, perSum: 1e-9 / options.sum }));
    // A GPU's gradients go to the host and back.
    const assumed = options.stepMs / 1000;
    const gpuStep: Step = {
      seconds:
        assumed + (2 * step.buckets.reduce((sum, { bytes }) => sum + bytes, 0)) / (options.hostLink * 1e9),
      buckets: step.buckets.map(({ bytes, before }) => ({
        bytes,
        before: (before * assumed) / step.seconds,
      })),
    };
    const forecasts = [step, gpuStep].map((each) => forecastTraining(each, links));
    say(forecastLines(`this machine's step, ${(1000 * step.seconds).toFixed(0)} ms`, forecasts[0], links));
    say(
      forecastLines(
        `a GPU that makes a step in ${options.stepMs} ms, its gradients at ${options.hostLink} GB/s to the host and back`,
        forecasts[1],
        links,
      ),
    );

    const gpu = await openGpu();
    const rate = await measureBulk(gpu, checkpoint, photos);
    gpu.destroy();
    const bulk = [1, 100, 1000, 10_000].map((workers) => forecastBulk(rate, 1e9, workers));
    say(bulkLines(rate, bulk, size));
    if (options.json !== undefined) {
      await mkdir(dirname(options.json), { recursive: true });
      const result = {
        ...{ adapter, size, batch, step, allReduces: pair.allReduces, fitted },
        pair: { predicted, measured, stepSeconds: pair.stepSeconds },
        assumptions: {
          links,
          stepMs: options.stepMs,
          hostLinkGigabytes: options.hostLink,
          sumGigabytes: options.sum,
        },
        ...{ forecasts, rate, bulk },
      };
      await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

const command = new Command("bench:scale")
  .description("Says how training scales with ranks and labelling with workers, from what is measured here.")
  .option("--size <pixels>", "size of the photos, a multiple of 32", side, 32)
  .option("--batch <photos>", "photos a rank and step", positive, 2)
  .option("--steps <count>", "steps that are timed", positive, 5)
  .option("--photos <count>", "photos that are labelled", positive, 32)
  .option("--step-ms <ms>", "what a step is assumed to take a GPU", above0, 100)
  .option(
    "--host-link <GB/s>",
    "how fast gradients are assumed to come from a GPU to the host, and back",
    above0,
    12,
  )
  .option("--sum <GB/s>", "how fast numbers are assumed to be summed up", above0, SUM_GIGABYTES)
  .option(
    "--link <NAME:µs:Gbit/s>",
    "a link more to say it of, with what a message takes and how fast it is; may be given again",
    (text: string, before: readonly Omit<Link, "perSum">[]) => [...before, link(text)],
    [],
  )
  .option("--json <file>", "also write the numbers to a file");
await run(command, main);
