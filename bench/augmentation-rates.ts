import {
  applySteps,
  AUGMENTATION_NAMES,
  AUGMENTATION_SETS,
  isRandom,
  randomly,
} from "../src/data/augment.ts";
import type { AugmentationSetName } from "../src/data/augment.ts";
import type { Sample } from "../src/data/dataset.ts";
import { Random } from "../src/data/random.ts";

/** Processor time to spend on each, in microseconds. */
const LONG_ENOUGH = 400_000;
/** Samples before the clock is looked at. */
const AT_A_TIME = 32;

/**
 * Samples that a thread augments in a second of processor time, its own and that of the threads sharp uses: by each augmentation, and
 * by each set, every augmentation of it with its probability.
 */
export async function augmentationRates(samples: readonly Sample[]): Promise<Record<string, number>> {
  const other = (seed: number): Sample => samples[(seed * 7 + 3) % samples.length];
  const rates: Record<string, number> = {};
  for (const name of AUGMENTATION_NAMES) {
    if (name === "original") continue;
    rates[name] = await rate((seed) =>
      applySteps(
        samples[seed % samples.length],
        { names: [name], ...(isRandom(name) && { seed }) },
        other(seed),
      ),
    );
  }
  for (const [set, names] of Object.entries(AUGMENTATION_SETS)) {
    const augment = randomly(names);
    rates[`the set ${set as AugmentationSetName}`] = await rate((seed) =>
      Promise.resolve(augment(samples[seed % samples.length], new Random(seed), other(seed))),
    );
  }
  return rates;
}

async function rate(make: (seed: number) => Promise<Sample>): Promise<number> {
  let seed = 0;
  const some = async (): Promise<void> => {
    for (let i = 0; i < AT_A_TIME; i++) await make(seed++);
  };
  await some();
  await some();
  const before = process.cpuUsage();
  const spent = (): number => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const first = seed;
  do await some();
  while (spent() < LONG_ENOUGH);
  return Math.round((1e6 * (seed - first)) / spent());
}
