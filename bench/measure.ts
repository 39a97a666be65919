/** @file Times two contenders in turns, so that whatever else the machine does meets both alike. */
import { Bench } from "tinybench";
import type { Contender } from "./contender.ts";
import { median, timesOf } from "./step/times.ts";
import type { Times } from "./step/times.ts";

/** A sample repeats the work for about this long, in milliseconds: far above what a wait for the GPU is exact to. */
const SAMPLE = 40;
const MAX_REPEATS = 1000;
/** At least; more where the time allows. */
const SAMPLES = 3;

/** How long one run of the work takes. */
export interface Timing extends Times {
  /** Of the median run, until it was submitted: about as much as `median` where the host is what it waits for. */
  readonly host: number;
  /** CPU time of this process, which on an adapter that runs on the CPU is the work itself, whoever else uses the cores. */
  readonly cpu: number;
}

export interface Comparison {
  readonly ours: Timing;
  readonly theirs: Timing | null;
  /** Their time over ours: the median of all pairs. */
  readonly ratio: number | null;
}

interface Sample {
  readonly ms: number;
  readonly host: number;
  readonly cpu: number;
}

/** Times `ours` and, in turns with it, `theirs`, for about `time` milliseconds after a warm-up. */
export async function compare(ours: Contender, theirs: Contender | null, time: number): Promise<Comparison> {
  const ourRepeats = await repeatsFor(ours);
  const theirRepeats = theirs ? await repeatsFor(theirs) : 0;
  const ourSamples: Sample[] = [];
  const theirSamples: Sample[] = [];

  const bench = new Bench({ time, iterations: SAMPLES, warmupTime: 0, warmupIterations: 1, throws: true });
  const turn = async (): Promise<{ overriddenDuration: number; overriddenIterationCost: number }> => {
    const start = bench.now();
    const mine = await sample(ours, ourRepeats);
    ourSamples.push(mine);
    if (theirs) theirSamples.push(await sample(theirs, theirRepeats));
    return { overriddenDuration: mine.ms, overriddenIterationCost: bench.now() - start };
  };
  const beforeAll = (): void => {
    // What the warm-up has measured.
    ourSamples.length = theirSamples.length = 0;
  };
  bench.add("turns", turn, { beforeAll });
  await bench.run();
  return {
    ours: timing(ourSamples),
    theirs: theirs && timing(theirSamples),
    ratio: theirs && median(ourSamples.map(({ ms }, i) => theirSamples[i].ms / ms)),
  };
}

/** How often `contender` must run to fill a sample; the first run, which may still compile, does not count. */
async function repeatsFor(contender: Contender): Promise<number> {
  await contender.run(1);
  let repeats = 1;
  for (;;) {
    const { ms } = await sample(contender, repeats);
    const wanted = Math.min(MAX_REPEATS, Math.max(1, Math.round(SAMPLE / ms)));
    // One run is mostly waiting where the work is short, so the first guess is too low.
    if (wanted <= 4 * repeats) return wanted;
    repeats = Math.min(wanted, 8 * repeats);
  }
}

/** One sample, by run. */
async function sample(contender: Contender, repeats: number): Promise<Sample> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const host = await contender.run(repeats);
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { ms: ms / repeats, host: host / repeats, cpu: (user + system) / 1000 / repeats };
}

const timing = (samples: readonly Sample[]): Timing => ({
  ...timesOf(samples.map(({ ms }) => ms)),
  host: median(samples.map(({ host }) => host)),
  cpu: median(samples.map(({ cpu }) => cpu)),
});
