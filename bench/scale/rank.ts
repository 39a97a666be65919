/**
 * @file One rank of `bench:scale`, by itself or of several that an mpiexec has started: all-reduces by size, then fine-tuning steps of the real
 * network. The first one writes what it has measured, as JSON.
 */
import { openGpu } from "../../src/adapter/open-gpu.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { Communicator } from "../../src/mpi/communicator.ts";
import type { Collectives } from "../../src/mpi/collectives.ts";
import { saveCheckpoint } from "../../src/train/checkpoint.ts";
import { startedRanks } from "../../src/mpi/started-ranks.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { median } from "../step/times.ts";
import type { Bucket, Measured } from "./all-reduce-model.ts";
import { alone, recording } from "./recording.ts";
import type { RecordedSum } from "./recording.ts";

export interface RankTask {
  readonly size: number;
  /** Photos a rank and step. */
  readonly batch: number;
  readonly steps: number;
  /** Bytes of the all-reduces that are measured. */
  readonly lengths: readonly number[];
  /** Where the network is kept, to label photos with. */
  readonly checkpoint?: string;
}

export interface RankResult {
  readonly adapter: string;
  readonly allReduces: readonly Measured[];
  readonly stepSeconds: readonly number[];
  /** Of the quickest step. */
  readonly buckets: readonly Bucket[];
}

/** Long enough that the median means something, short enough for the longest. */
const LEAST = 5;
const MOST = 50;
const SECONDS = 1.5;

async function measureAllReduces(ranks: Collectives, lengths: readonly number[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const bytes of lengths) {
    const numbers = new Float32Array(bytes / 4);
    const times: number[] = [];
    for (let i = 0; i < MOST; i++) {
      await ranks.meet("all-reduce");
      const start = performance.now();
      await ranks.allReduce("all-reduce", numbers);
      // The first ones warm up.
      if (i >= 2) times.push((performance.now() - start) / 1000);
      const spent = Float64Array.of(times.reduce((sum, time) => sum + time, 0));
      // All ranks come to the same end.
      await ranks.allReduce("time spent", spent, "max");
      if (times.length >= LEAST && spent[0] > SECONDS) break;
    }
    measured.push({ bytes, seconds: median(times) });
  }
  return measured;
}

async function main({ size, batch, steps, lengths, checkpoint }: RankTask): Promise<void> {
  const joined = startedRanks() ? await Communicator.join() : undefined;
  const ranks = joined ?? alone();
  const allReduces = joined ? await measureAllReduces(joined, lengths) : [];
  const gpu = await openGpu();
  const sums: RecordedSum[] = [];
  const trainer = await Trainer.create(gpu, {
    ...{ imageSize: size, batchSize: batch * ranks.size, accumulate: ranks.size, classes: 59 },
    ...{ decoder: "transpose", optimizer: "rmsprop", clipNorm: null, weighted: false, momentum: 0.99 },
    ...{ epochs: { frozen: 0, finetune: 1 }, learningRate: { frozen: 1e-3, finetune: 1e-4 } },
    ...{ schedule: "constant", warmupSteps: 0, stepsPerEpoch: steps + 1, augment: (sample) => sample },
    ...{ shuffleBuffer: null, dropRemainder: false, normalization: "unit", monitor: "val_accuracy" },
    ...{ patience: null, maxSteps: null, time: null, seed: 1, weights: null, ranks: recording(ranks, sums) },
  });
  const ends: number[] = [];
  const ofSteps: RecordedSum[][] = [];
  const [training, validation] = [batch * ranks.size * 2, ranks.size].map(
    (count) => new GeneratedDataset({ size: count, imageSize: size }),
  );
  await trainer.run(
    { training, validation, classWeights: null },
    {
      step: () => {
        ends.push(performance.now());
        ofSteps.push(sums.splice(0));
      },
    },
  );
  // The first step compiles.
  const stepSeconds = ends.slice(1).map((end, i) => (end - ends[i]) / 1000);
  const quickest = ofSteps[1 + stepSeconds.indexOf(Math.min(...stepSeconds))];
  const result: RankResult = {
    adapter: gpu.adapterName,
    allReduces,
    stepSeconds,
    buckets: quickest.map(({ bytes, called }) => ({
      bytes,
      before: (quickest.at(-1)!.called - called) / 1000,
    })),
  };
  if (checkpoint !== undefined)
    await saveCheckpoint(trainer.variables, checkpoint, trainer.state, { image_size: String(size) });
  trainer.destroy();
  gpu.destroy();
  await joined?.close();
  if (ranks.rank === 0) console.log(JSON.stringify(result));
}

await main(JSON.parse(process.argv[2]) as RankTask);
