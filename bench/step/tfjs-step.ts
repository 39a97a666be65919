/** @file The same training step with tfjs's WebGPU backend, in turns with ours. */
import * as tf from "@tensorflow/tfjs-core";
import type { ImageSize } from "../../src/image-size.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { VariableValues } from "../../src/graph/variables.ts";
import type { Phase } from "../../src/runs/phase.ts";
import { startTfjsTraining } from "../../test/parity/tfjs-training.ts";
import { startTfjsWebGpu } from "../tfjs-webgpu.ts";
import type { BenchBatch } from "./batch.ts";
import { median } from "./times.ts";

/** A step by the wall clock, and what this process's threads spent on it. */
export interface StepTime {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Our step beside tfjs's. Times in milliseconds. */
export interface TfjsComparison {
  readonly version: string;
  /** Compilation included. */
  readonly firstStepMs: number;
  /** One step of each, one after the other. */
  readonly rounds: readonly { readonly ours: StepTime; readonly theirs: StepTime }[];
  readonly oursMs: number;
  readonly theirsMs: number;
  /** Their median over ours. */
  readonly ratio: number;
  /** The same of the processor's time; on an adapter that runs on the CPU, the fairer one while others use it too. */
  readonly cpuRatio: number;
  /** Before their first step. */
  readonly firstLoss: number;
}

/** Why there is no comparison. */
export interface TfjsProblem {
  readonly problem: string;
}

export interface TfjsJob extends BenchBatch {
  readonly phase: Phase;
  /** By name. */
  readonly encoder: string;
  readonly imageSize: ImageSize;
  readonly classes: number;
  readonly learningRate: number;
  /** First values of the network's variables, by name. */
  readonly variables: ReadonlyMap<string, VariableValues>;
  readonly rounds: number;
  /** Makes one step of ours. */
  readonly ours: () => Promise<unknown>;
}

/** Makes a first step with tfjs, then `rounds` times one of ours and one of theirs. */
export async function compareWithTfjs(gpu: Gpu, job: TfjsJob): Promise<TfjsComparison> {
  await startTfjsWebGpu();
  const variables = new Map([...job.variables].map(([name, { data }]) => [name, data]));
  const training = startTfjsTraining({ ...job, variables });
  const theirs = async (): Promise<number> => {
    const loss = training.step();
    // As ours is waited for: otherwise polling would take a core from an adapter that runs on the CPU.
    const [value] = await gpu.waitFor(loss.data());
    loss.dispose();
    return value;
  };
  try {
    const start = performance.now();
    const firstLoss = await theirs();
    const firstStepMs = performance.now() - start;
    const rounds: { ours: StepTime; theirs: StepTime }[] = [];
    for (let round = 0; round < job.rounds; round++) {
      rounds.push({ ours: await timed(job.ours), theirs: await timed(theirs) });
    }
    const of = (whose: "ours" | "theirs", time: keyof StepTime): number =>
      median(rounds.map((round) => round[whose][time]));
    return {
      version: tf.version_core,
      firstStepMs,
      rounds,
      oursMs: of("ours", "ms"),
      theirsMs: of("theirs", "ms"),
      ratio: of("theirs", "ms") / of("ours", "ms"),
      cpuRatio: of("theirs", "cpuMs") / of("ours", "cpuMs"),
      firstLoss,
    };
  } finally {
    training.dispose();
  }
}

/** Waits for a step. */
export async function timed(step: () => Promise<unknown>): Promise<StepTime> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await step();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
}
