import type { Precision } from "../config/index.ts";
import { GpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { ModelError } from "./model.ts";
import type { Model } from "./model.ts";
import { NetworkPrograms } from "./network-programs.ts";
import type { Size } from "../data/resize.ts";

/** How many images a second a network saw, so many at once. */
export interface BatchRate {
  readonly batchSize: number;
  readonly imagesPerSecond: number;
}

export interface BatchSearch {
  readonly first: number;
  readonly most: number;
  /** Seconds after which no other size is tried; compiling one may take some itself. */
  readonly seconds: number;
  /** Of a network that sees so many images at once; null where that does not fit into memory. */
  readonly measure: (batchSize: number) => Promise<number | null>;
}

/** What another size must be faster by to be taken, and for still larger ones to be tried. */
const WORTH = 1.05;

/**
 * Tries sizes, each twice the one before, as long as they are worth it; where the first does not fit, smaller ones.
 *
 * @returns what was measured; the last entry is the choice. Empty where not even one image fits.
 */
export async function searchBatchSize({ first, most, seconds, measure }: BatchSearch): Promise<BatchRate[]> {
  const begin = performance.now();
  const rates: BatchRate[] = [];
  let best: BatchRate | undefined;
  for (let batchSize = Math.min(first, most); batchSize >= 1;) {
    const imagesPerSecond = await measure(batchSize);
    if (imagesPerSecond === null) {
      if (best !== undefined) break;
      batchSize = Math.floor(batchSize / 2);
      continue;
    }
    const rate = { batchSize, imagesPerSecond };
    rates.push(rate);
    if (best !== undefined && imagesPerSecond < WORTH * best.imagesPerSecond) break;
    const isAfterFailure = best === undefined && batchSize < Math.min(first, most);
    best = rate;
    if (isAfterFailure || batchSize === most || performance.now() - begin > 1000 * seconds) break;
    batchSize = Math.min(most, 2 * batchSize);
  }
  return best === undefined ? [] : [...rates.filter((rate) => rate !== best), best];
}

const SECONDS = 20;
const MOST = 64;
/** Measured for each size. */
const [RUNS, RUN_SECONDS] = [3, 0.5];

/**
 * How many images a model's network is best shown at once, by its throughput on this adapter: 4, 8 .. up to 64, as long as one is 5 %
 * faster than the one before it and fits into memory, for about 20 seconds.
 *
 * @param size of the images
 * @param most no more images than there are
 * @param mostBytes that the network may take; where it is not said, what the adapter gives
 * @returns what was measured; the last entry is the choice
 * @throws ModelError when not even one image fits into memory, or the network gives something else than finite numbers; WeightsError;
 *   GpuError.
 */
export async function chooseBatchSize(
  gpu: Gpu,
  model: Model,
  {
    size,
    precision,
    most = MOST,
    mostBytes = Infinity,
  }: { size: Size; precision: Precision; most?: number | undefined; mostBytes?: number | undefined },
): Promise<BatchRate[]> {
  const rates = await searchBatchSize({
    ...{ first: 4, most: Math.min(most, MOST), seconds: SECONDS },
    measure: async (batchSize) => {
      const options = { batchSize, precision, scores: "logits" } as const;
      const bytes = NetworkPrograms.planned(gpu, model, size, options);
      if (bytes === null || bytes > mostBytes) return null;
      const programs = await unlessTooLarge(NetworkPrograms.create(gpu, model, size, options));
      return programs && imagesPerSecond(programs, size);
    },
  });
  if (rates.length === 0)
    throw new ModelError(
      `Not even one image fits into the memory of ${gpu.adapterName}: give a smaller size.`,
    );
  return rates;
}

/** Null where memory is too short, of which a network speaks in a sentence about its images, and a device by an error's kind. */
async function unlessTooLarge(created: Promise<NetworkPrograms>): Promise<NetworkPrograms | null> {
  try {
    return await created;
  } catch (error) {
    if (error instanceof ModelError || (error instanceof GpuError && error.kind === "out-of-memory"))
      return null;
    throw error;
  }
}

async function imagesPerSecond(programs: NetworkPrograms, size: Size): Promise<number> {
  const { batchSize } = programs;
  try {
    const images = new Float32Array(batchSize * size.height * size.width * 3).fill(0.5);
    // The first run is slower on some drivers.
    await programs.run(images, size, batchSize);
    let best = Infinity;
    const begin = performance.now();
    for (let run = 0; run < RUNS || performance.now() - begin < 1000 * RUN_SECONDS; run++) {
      const start = performance.now();
      await programs.run(images, size, batchSize);
      best = Math.min(best, performance.now() - start);
    }
    return (1000 * batchSize) / best;
  } finally {
    programs.destroy();
  }
}

/** What was measured and chosen, for people. */
export function batchSizeText(rates: readonly BatchRate[]): string {
  const measured = [...rates].sort((a, b) => a.batchSize - b.batchSize);
  const each = measured.map(
    ({ batchSize, imagesPerSecond }) =>
      `${batchSize}: ${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} images/s`,
  );
  return `${rates.at(-1)!.batchSize}, the fastest of what was tried (${each.join(", ")})`;
}
