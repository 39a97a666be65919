/**
 * @file What a whole training step costs: `npm run bench:step -- --size 64 --batch 2 --phase frozen`.
 *
 * Says how long the first step takes, compilation included (`--cold`: with no driver's cache of compiled shaders), how
 * long a step takes one at a time and with two in flight, what of it is the host's, what the plan holds, and, from
 * timestamps, which kernels the time goes to. tfjs's WebGPU backend then makes the same step on the same adapter, in turns
 * with ours; its network, loss and optimizer are those of the parity tests and begin with the same numbers.
 *
 * On a machine with a GPU, everything in one sitting, files into bench/results/:
 *
 *     npm run bench:step -- --size 128 --batch 64 --precision both --json bench/results/step-gpu.json
 *     python3 -m venv .cache/peers && .cache/peers/bin/pip install torch numpy
 *     .cache/peers/bin/python bench/peers/pytorch_unet.py --size 128 --batch 64 --json bench/results/step-pytorch.json
 *
 * That both compute the same thing: give this `--save-weights FILE` and the other `--weights FILE`; the first losses agree.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { Command, Option } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { DECODERS } from "../src/layers/networks/decoder.ts";
import type { Decoder } from "../src/layers/networks/decoder.ts";
import { DEFAULT_ENCODER, ENCODER_NAMES, encoderNamed } from "../src/layers/networks/encoders.ts";
import type { Size } from "../src/image-size.ts";
import { refuseUnknownPrecision } from "../src/train/precision.ts";
import { PRECISIONS } from "../src/config/index.ts";
import type { Precision } from "../src/config/index.ts";
import { PHASES } from "../src/runs/phase.ts";
import type { StepSpec } from "../src/train/phase/programs.ts";
import type { Phase } from "../src/runs/phase.ts";
import { measureFma } from "./ceilings.ts";
import { photoSize, positive, run } from "./command.ts";
import { disableShaderCaches } from "./step/cold.ts";
import { measurePhase } from "./step/measure-phase.ts";
import { reportLines } from "./step/report.ts";
import type { StepResult } from "./step/step-result.ts";

const CLASSES = 59;

interface Options {
  readonly size?: Size;
  readonly batch?: number;
  readonly phase: Phase | "both";
  readonly precision: Precision | "both";
  readonly steps?: number;
  readonly rounds: number;
  readonly optimizer: StepSpec["optimizer"];
  readonly decoder: Decoder;
  readonly encoder: string;
  readonly encoderStatistics: "batch" | "moving";
  readonly weights?: string;
  readonly saveWeights?: string;
  readonly tfjs: boolean;
  readonly profile: boolean;
  readonly cold: boolean;
  readonly json?: string;
}

async function measure(gpu: Gpu, options: Options): Promise<StepResult[]> {
  const { size, batch, phase, steps, optimizer, decoder, encoderStatistics, weights, saveWeights } = options;
  const encoder = encoderNamed(options.encoder);
  const software = gpu.isSoftware;
  const spec: StepSpec = {
    batchSize: batch ?? (software ? 2 : 64),
    imageSize: size ?? (software ? 64 : 128),
    ...{ classes: CLASSES, momentum: 0.99, clipNorm: null, weighted: false },
    ...{ optimizer, decoder, encoder, encoderStatistics },
  };
  const canProfile = options.profile && gpu.features.has("timestamp-query");
  const fmaGflopPerSecond = await measureFma(gpu);
  const results: StepResult[] = [];
  for (const each of phase === "both" ? PHASES : [phase]) {
    for (const precision of options.precision === "both" ? PRECISIONS : [options.precision]) {
      const result = await measurePhase(gpu, {
        ...{ spec: { ...spec, precision }, phase: each, weights, saveWeights, fmaGflopPerSecond },
        steps: steps ?? (software ? 3 : 30),
        profiles: canProfile ? (software ? 1 : 5) : 0,
        // tfjs has no half precision.
        rounds: options.tfjs && precision === "f32" ? options.rounds : 0,
      });
      results.push(result);
      console.log(`\n${reportLines(result).join("\n")}`);
    }
  }
  return results;
}

async function main(options: Options): Promise<void> {
  if (options.cold) disableShaderCaches();
  const { decoder, optimizer, encoderStatistics } = options;
  const isTfjs = decoder === "transpose" && optimizer === "rmsprop" && encoderStatistics === "batch";
  if (options.tfjs && !isTfjs) {
    throw new Error(
      "tfjs's network has the transpose decoder, RMSprop and the batch's statistics: add --no-tfjs to measure another one.",
    );
  }
  // Without it tfjs greets whoever runs it in Node.
  tf.enableProdMode();
  const gpu = await openGpu();
  try {
    if (options.precision !== "f32") refuseUnknownPrecision(gpu, { precision: "f16" });
    console.log(`Adapter: ${gpu.adapterName}`);
    const results = await measure(gpu, options);
    if (options.json !== undefined) {
      await mkdir(dirname(options.json), { recursive: true });
      await writeFile(options.json, `${JSON.stringify({ results }, null, 2)}\n`);
    }
  } finally {
    gpu.destroy();
  }
}

const command = new Command("bench:step")
  .description("Measures whole training steps, beside tfjs's WebGPU backend on the same adapter.")
  .option(
    "--size <pixels|HxW>",
    "size of the photos, a multiple of 32 each way (128; on a software adapter 64)",
    photoSize,
  )
  .option("--batch <photos>", "photos a step (64; on a software adapter 2)", positive)
  .addOption(new Option("--phase <phase>", "which phase").choices([...PHASES, "both"]).default("both"))
  .addOption(
    new Option("--precision <type>", "what activations are stored in")
      .choices([...PRECISIONS, "both"])
      .default("f32"),
  )
  .option("--steps <count>", "steps timed in each way (30; on a software adapter 3)", positive)
  .option("--rounds <count>", "turns of ours and tfjs's", positive, 3)
  .addOption(
    new Option("--optimizer <name>", "the optimizer")
      .choices(["rmsprop", "adam", "adamw", "sgd"])
      .default("rmsprop"),
  )
  .addOption(
    new Option("--decoder <name>", "how the decoder doubles the size").choices(DECODERS).default("transpose"),
  )
  .addOption(
    new Option("--encoder <name>", "the encoder").choices(ENCODER_NAMES).default(DEFAULT_ENCODER.name),
  )
  .addOption(
    new Option("--encoder-statistics <kind>", "by what its batch norms normalize while it is trained")
      .choices(["batch", "moving"])
      .default("batch"),
  )
  .option("--weights <file>", "begin with these weights instead of random ones")
  .option("--save-weights <file>", "write the weights that it begins with, as safetensors")
  .option("--no-tfjs", "leave tfjs out")
  .option("--no-profile", "leave the breakdown by kernel out")
  .option(
    "--cold",
    "without the driver's cache of compiled shaders (one phase: a second would share the first one's)",
  )
  .option("--json <file>", "also write the numbers to a file");
await run(command, main);
