/**
 * @file The table of docs/encoders.md: `npm run bench:encoders [-- --encoders a,b] [--precision f16] [--no-time]`. Sizes follow from the networks'
 * definitions and from plans; times are of fine-tuning steps on small photos, each in turns with DenseNet121's.
 */
import { Command } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { kernelTarget } from "../src/graph/kernel-target.ts";
import { plan } from "../src/graph/plan.ts";
import { sizeOf } from "../src/graph/shape.ts";
import { DEFAULT_ENCODER, ENCODER_NAMES, encoderNamed } from "../src/layers/networks/encoders.ts";
import type { Encoder } from "../src/layers/networks/encoder.ts";
import { smallestSide } from "../src/layers/networks/image-size.ts";
import { trainingStep } from "../src/train/phase/programs.ts";
import type { StepSpec } from "../src/train/phase/programs.ts";
import type { Precision } from "../src/config/index.ts";
import { precisionOption } from "../src/cli/precision-option.ts";
import { refuseUnknownPrecision } from "../src/train/precision.ts";
import { run } from "./command.ts";
import { prepareOurs } from "./contender.ts";
import { compare } from "./measure.ts";
import { convolutions } from "./step/arithmetic.ts";
import { noiseBatch } from "./step/batch.ts";

const CLASSES = 59;
/** Of which memory and arithmetic are given. */
const SIZE = 128;
const BATCH = 64;
/** Of a step that is timed; larger photos where an encoder takes none as small. */
const TIMED = { size: 64, batch: 2 };
/** Milliseconds of measuring a pair. */
const TIME = 20_000;

interface Options {
  readonly encoders: string;
  readonly time: boolean;
  readonly precision: Precision;
}

const specOf = (encoder: Encoder, imageSize: number, batchSize: number, precision: Precision): StepSpec => ({
  ...{ batchSize, imageSize, classes: CLASSES, momentum: 0.99, encoder, precision },
  ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
});

/** Ours over DenseNet121's, of fine-tuning steps on photos that both take. */
async function relativeTime(gpu: Gpu, encoder: Encoder, precision: Precision): Promise<number> {
  const size = Math.max(TIMED.size, smallestSide(encoder));
  const batch = noiseBatch(TIMED.batch, size, CLASSES);
  const step = (network: Encoder): ReturnType<typeof prepareOurs> =>
    prepareOurs(gpu, {
      goals: trainingStep(specOf(network, size, TIMED.batch, precision), "finetune"),
      feeds: {
        image: () => batch.image,
        labels: () => batch.labels,
        learning_rate: () => Float32Array.of(1e-3),
        step: () => Uint32Array.of(0),
      },
      timed: () => true,
    });
  const [usual, other] = [await step(DEFAULT_ENCODER), await step(encoder)];
  try {
    return (await compare(usual, other, TIME)).ratio!;
  } finally {
    usual.destroy();
    other.destroy();
  }
}

async function rowOf(gpu: Gpu, encoder: Encoder, { time, precision }: Options): Promise<string[]> {
  const million = (count: number): string => `${(count / 1e6).toFixed(1)} M`;
  const weights = encoder.layers().flatMap((layer) => layer.weights);
  const all = convolutions({ imageSize: SIZE, classes: CLASSES, decoder: "transpose", encoder });
  const gflop = (part: string): string => {
    const products = all.filter((conv) => conv.part === part).map(({ multiplyAdds }) => multiplyAdds);
    return ((2 * products.reduce((sum, product) => sum + product, 0)) / 1e9).toFixed(2);
  };
  const { summary } = plan(
    trainingStep(specOf(encoder, SIZE, BATCH, precision), "finetune"),
    kernelTarget(gpu),
  );
  const relative = !time
    ? ""
    : encoder === DEFAULT_ENCODER
      ? "1"
      : (await relativeTime(gpu, encoder, precision)).toFixed(2);
  return [
    `\`${encoder.name}\``,
    million(weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)),
    `${gflop("encoder")} + ${gflop("decoder")}`,
    `${(summary.peakBytes / 2 ** 30).toFixed(2)} GiB`,
    `${summary.dispatches} / ${summary.pipelines}`,
    relative,
  ];
}

async function main(options: Options): Promise<void> {
  const gpu = await openGpu();
  try {
    refuseUnknownPrecision(gpu, options);
    console.log(`Adapter: ${gpu.adapterName}, ${options.precision}\n`);
    const heads = [
      "encoder",
      "parameters",
      `GFLOP of a photo of ${SIZE}², encoder + decoder`,
      `fine-tuning step of ${BATCH} photos of ${SIZE}²`,
      "its dispatches / pipelines",
      "time of a step",
    ];
    const line = (cells: readonly string[]): void => console.log(`| ${cells.join(" | ")} |`);
    line(heads);
    line(heads.map(() => "---"));
    for (const name of options.encoders.split(",")) line(await rowOf(gpu, encoderNamed(name), options));
  } finally {
    gpu.destroy();
  }
}

const command = new Command("bench:encoders")
  .description("Prints what each encoder costs, as a table in Markdown.")
  .option("--encoders <names>", "only these, with commas between", ENCODER_NAMES.join(","))
  .addOption(precisionOption("what activations are stored in").default("f32"))
  .option("--no-time", "leave the times out");
await run(command, main);
