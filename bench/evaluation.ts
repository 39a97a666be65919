/**
 * @file What an evaluation costs, whose pixels are counted on the GPU and each photo scored on the host besides, beside one that counts
 * all on the host and scores none, in turns: `npm run bench:evaluation -- --size 128 --photos 40 --rounds 5`.
 *
 * Says the ratio of each pair and, from timestamps, which share of the GPU's time the counting takes. With `--precision f16` also
 * the ratio of evaluations in f16 to those in f32, in turns, by the wall clock and by CPU time.
 */
import { Command } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import { evaluationBatches } from "../src/data/batches.ts";
import { GeneratedDataset } from "../src/data/generated-dataset.ts";
import type { Size } from "../src/data/resize.ts";
import { sparseSoftmaxCrossEntropy } from "../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { compile } from "../src/graph/compile.ts";
import type { Program } from "../src/graph/program.ts";
import { Variables } from "../src/graph/variables.ts";
import { ConfusionMatrix } from "../src/runs/metrics.ts";
import { evaluate } from "../src/train/phase/evaluate.ts";
import { compileEvaluator, evaluator } from "../src/train/phase/programs.ts";
import type { Precision } from "../src/config/index.ts";
import { precisionOption } from "../src/cli/precision-option.ts";
import { formatBytes } from "../src/text-table.ts";
import { refuseUnknownPrecision } from "../src/train/precision.ts";
import { positive, run } from "./command.ts";

interface Options {
  readonly size: number;
  readonly batch: number;
  readonly photos: number;
  readonly rounds: number;
  readonly precision: Precision;
}

const CLASSES = 59;
/** Photos whose predictions are kept, as in a run. */
const KEEP = 4;

async function main({ size, batch, photos, rounds, precision }: Options): Promise<void> {
  const dataset = new GeneratedDataset({ size: photos, imageSize: size });
  // Drawn once, and kept.
  for (let index = 0; index < photos; index++) await dataset.load(index);
  const gpu = await openGpu();
  const variables = new Variables(gpu, { seed: 1 });
  try {
    refuseUnknownPrecision(gpu, { precision });
    const spec = { batchSize: batch, imageSize: size, classes: CLASSES, momentum: 0.9 };
    const { outputs } = evaluator({ ...spec, precision });
    const [logits] = outputs.prediction.node!.inputs;
    const labels = logits.graph.inputs.get("labels")!;
    const loss = sparseSoftmaxCrossEntropy(logits, labels, { reduction: "per-image" });
    const onGpu = await compile(gpu, { outputs, variables });
    const onHost = await compile(gpu, { outputs: { loss, prediction: outputs.prediction }, variables });
    const batches = () => evaluationBatches(dataset, { batchSize: batch });
    const sides = {
      gpu: async () =>
        (
          await evaluate(onGpu, batches(), {
            classes: CLASSES,
            size: { width: size, height: size },
            keep: KEEP,
          })
        ).accuracy,
      host: () => countOnHost(onHost, batches()),
    };
    console.log(`${gpu.adapterName}, ${photos} photos of ${size}×${size}, ${batch} at a time, ${precision}`);
    const accuracies = [await sides.gpu(), await sides.host()];
    if (accuracies[0] !== accuracies[1]) throw new Error(`They differ: ${accuracies.join(" and ")}.`);
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const seconds = { gpu: 0, host: 0 };
      for (const side of round % 2 === 0 ? (["gpu", "host"] as const) : (["host", "gpu"] as const)) {
        const start = performance.now();
        await sides[side]();
        seconds[side] = (performance.now() - start) / 1000;
      }
      ratios.push(seconds.gpu / seconds.host);
      const [own, other] = [seconds.gpu, seconds.host].map((value) => value.toFixed(2));
      console.log(`on the GPU ${own} s, on the host ${other} s, ratio ${ratios.at(-1)!.toFixed(3)}`);
    }
    console.log(`median of the ratios ${median(ratios).toFixed(3)}`);
    if (gpu.features.has("timestamp-query")) console.log(await shareOfCounting(onGpu, dataset, batch));
    if (precision !== "f32") {
      const full = await compileEvaluator(gpu, variables, spec);
      console.log(await besideFull(onGpu, full, batches, { rounds, size: { width: size, height: size } }));
      full.destroy();
    }
    for (const program of [onGpu, onHost]) program.destroy();
  } finally {
    variables.destroy();
    gpu.destroy();
  }
}

/** As it was done before the op `confusionMatrix`; labels that only fill a batch up are not looked at. */
async function countOnHost(program: Program, batches: ReturnType<typeof evaluationBatches>): Promise<number> {
  const confusion = new ConfusionMatrix(CLASSES);
  for await (const { images, labels, count, indices } of batches) {
    const { prediction } = await program.run({ image: images, labels });
    confusion.add(labels, prediction as Uint32Array, 0, (count * labels.length) / indices.length);
  }
  return confusion.accuracy;
}

/** What an evaluation in half precision takes beside one in f32, in turns. */
async function besideFull(
  half: Program,
  full: Program,
  batches: () => ReturnType<typeof evaluationBatches>,
  { rounds, size }: { rounds: number; size: Size },
): Promise<string> {
  const time = async (program: Program): Promise<{ wall: number; cpu: number }> => {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    await evaluate(program, batches(), { classes: CLASSES, size });
    const { user, system } = process.cpuUsage(cpu);
    return { wall: performance.now() - start, cpu: user + system };
  };
  const pairs: { wall: number; cpu: number }[] = [];
  // The first pair still compiles.
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await time(half), await time(full)];
    if (round > 0) pairs.push({ wall: a.wall / b.wall, cpu: a.cpu / b.cpu });
  }
  const of = (what: "wall" | "cpu"): string => median(pairs.map((pair) => pair[what])).toFixed(3);
  const bytes = [half, full].map(({ summary }) => formatBytes(summary.peakBytes));
  return `f16 over f32: ${of("wall")} by the wall clock, ${of("cpu")} by CPU time; ${bytes.join(" beside ")} on the GPU`;
}

async function shareOfCounting(
  program: Program,
  dataset: GeneratedDataset,
  batchSize: number,
): Promise<string> {
  const batches = evaluationBatches(dataset, { batchSize });
  const { value } = await batches.next();
  await batches.return();
  const times = await program.profile({ image: value!.images, labels: value!.labels });
  const sum = (some: typeof times): number =>
    some.reduce((total, { nanoseconds }) => total + nanoseconds / 1e6, 0);
  const counting = sum(times.filter(({ label }) => label.includes("confusion_matrix")));
  return `counting ${counting.toFixed(2)} ms of ${sum(times).toFixed(0)} ms a batch, ${((100 * counting) / sum(times)).toFixed(2)} %`;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

const command = new Command("bench:evaluation")
  .option("--size <pixels>", "side of the photos", positive, 128)
  .option("--batch <n>", "photos at a time", positive, 8)
  .option("--photos <n>", "photos a turn", positive, 40)
  .option("--rounds <n>", "pairs", positive, 5)
  .addOption(precisionOption("what activations are stored in").default("f32"));
await run(command, main);
