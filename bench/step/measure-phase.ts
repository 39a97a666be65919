import { createRequire } from "node:module";
import { printSize, toSize } from "../../src/image-size.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { Variables } from "../../src/graph/variables.ts";
import { restoreWeights } from "../../src/train/checkpoint.ts";
import { dropsOut, encoderOf } from "../../src/train/phase/programs.ts";
import type { StepSpec } from "../../src/train/phase/programs.ts";
import type { Phase } from "../../src/runs/phase.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { stepFlops } from "./arithmetic.ts";
import { noiseBatch } from "./batch.ts";
import { isCold } from "./cold.ts";
import { compileStep, profileStep, timedRun, timeSteps } from "./measure-step.ts";
import type { StepResult } from "./step-result.ts";
import { compareWithTfjs } from "./tfjs-step.ts";
import type { TfjsComparison, TfjsProblem } from "./tfjs-step.ts";

/** What is measured, and how often. */
export interface PhaseJob {
  readonly spec: StepSpec;
  readonly phase: Phase;
  /** Steps timed in each way. */
  readonly steps: number;
  /** Steps timed around every dispatch; 0 for no breakdown. */
  readonly profiles: number;
  /** Turns of ours and tfjs's; 0 to leave tfjs out. */
  readonly rounds: number;
  /** A file of weights to begin with instead of random ones. */
  readonly weights?: string | undefined;
  /** Where to write the weights that it begins with, as safetensors. */
  readonly saveWeights?: string | undefined;
  /** What a loop of fused multiply-adds reaches on the adapter, in GFLOP/s. */
  readonly fmaGflopPerSecond: number;
}

const LEARNING_RATE = 1e-3;
/** Losses that are kept. */
const LOSSES = 3;

/** Measures the training step of one phase from fresh variables. */
export async function measurePhase(gpu: Gpu, job: PhaseJob): Promise<StepResult> {
  const { spec, phase } = job;
  const { batchSize, imageSize, classes, decoder = "transpose" } = spec;
  const encoder = encoderOf(spec);
  const batch = noiseBatch(batchSize, imageSize, classes);
  const feeds = {
    ...{ ...batch, learning_rate: Float32Array.of(LEARNING_RATE) },
    ...(dropsOut(spec, phase) && { step: Uint32Array.of(0) }),
  };
  gpu.peakBytes = gpu.bytes;
  const variables = new Variables(gpu, { seed: 1 });
  try {
    const { program, times } = await compileStep(gpu, variables, spec, phase);
    try {
      if (job.weights !== undefined) await restoreWeights(variables, job.weights);
      const network = await variables.readAll((_, group) => group !== "optimizer");
      if (job.saveWeights !== undefined) await writeSafetensors(job.saveWeights, network);

      const first = await timedRun(program, feeds);
      const steps = await timeSteps(gpu, program, feeds, job.steps);
      const breakdown = job.profiles > 0 ? await profileStep(program, feeds, job.profiles) : null;
      const { peakBytes } = gpu;
      const task = {
        ...{ ...batch, encoder: encoder.name, imageSize, classes, phase },
        ...{ learningRate: LEARNING_RATE, variables: network },
      };
      const ours = (): Promise<unknown> => program.run(feeds);
      const tfjs =
        job.rounds > 0
          ? await compareOrSay(() => compareWithTfjs(gpu, { ...task, rounds: job.rounds, ours }))
          : null;

      const pipelinedMs = steps.twoInFlight.median;
      const gflop = stepFlops({ batchSize, imageSize, classes, decoder, encoder }, phase) / 1e9;
      const parameters = [...network]
        .filter(([name]) => !name.includes("/moving_"))
        .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
      return {
        framework: "bespoke",
        variant: spec.precision ?? "f32",
        device: gpu.adapterName,
        version,
        phase,
        encoder: encoder.name,
        size: printSize(toSize(imageSize)),
        batch: batchSize,
        optimizer: spec.optimizer,
        decoder,
        parameters,
        steps: job.steps,
        coldShaderCache: isCold(),
        firstStepMs: { ...times, run: first.ms, total: times.plan + times.compile + first.ms },
        medianMs: steps.oneAtATime.median,
        minMs: steps.oneAtATime.min,
        maxMs: steps.oneAtATime.max,
        pipelinedMs,
        encodeMs: steps.encode.median,
        encodeMinMs: steps.encode.min,
        uploadMs: steps.upload.median,
        photosPerSecond: (1000 * batchSize) / pipelinedMs,
        gflop,
        gflopPerSecond: (1000 * gflop) / pipelinedMs,
        fmaGflopPerSecond: job.fmaGflopPerSecond,
        plan: program.summary,
        peakBytes,
        losses: [first.loss, ...steps.losses].slice(0, LOSSES),
        breakdown,
        tfjs,
      };
    } finally {
      program.destroy();
    }
  } finally {
    variables.destroy();
  }
}

/** What tfjs cannot do on an adapter must not cost the figures of ours. */
const compareOrSay = (compare: () => Promise<TfjsComparison>): Promise<TfjsComparison | TfjsProblem> =>
  compare().catch((error: unknown) => ({ problem: error instanceof Error ? error.message : String(error) }));

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
