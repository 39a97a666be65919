/** @file A training step of ours, measured: how long it takes to make, to run, and where the time goes. */
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { DispatchTime } from "../../src/gpu/profiler.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Feeds, Program } from "../../src/graph/program.ts";
import type { Variables } from "../../src/graph/variables.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { compileTrainingStep, trainingStep } from "../../src/train/phase/programs.ts";
import type { StepSpec } from "../../src/train/phase/programs.ts";
import type { Phase } from "../../src/runs/phase.ts";
import { byKernel } from "./breakdown.ts";
import type { DispatchShare, KernelShare } from "./breakdown.ts";
import { timeHost } from "./host-clock.ts";
import { timesOf } from "./times.ts";
import type { Times } from "./times.ts";

/** What has to happen before the second step, in milliseconds. */
export interface FirstStep {
  /** Building the graph and planning it, shader texts included. */
  readonly plan: number;
  /** Compiling the pipelines, making buffers (first values of the variables included) and bind groups. */
  readonly compile: number;
  /** The first run; some drivers compile shaders only then. */
  readonly run: number;
  /** All of the above. */
  readonly total: number;
}

/** Compiles a training step, timed by parts; the first run is {@link firstRun}'s. */
export async function compileStep(
  gpu: Gpu,
  variables: Variables,
  spec: StepSpec,
  phase: Phase,
): Promise<{ program: Program; times: Omit<FirstStep, "run" | "total"> }> {
  const start = performance.now();
  plan(trainingStep(spec, phase), kernelTarget(gpu));
  const planned = performance.now() - start;
  const program = await compileTrainingStep(gpu, variables, spec, phase);
  // Compiling plans once more.
  return { program, times: { plan: planned, compile: performance.now() - start - 2 * planned } };
}

/** Runs `program` once; the milliseconds and the loss. */
export async function timedRun(program: Program, feeds: Feeds): Promise<{ ms: number; loss: number }> {
  const start = performance.now();
  const { loss } = await program.run(feeds);
  return { ms: performance.now() - start, loss: loss[0] };
}

export interface StepTimes {
  /** Each step waited for before the next is submitted. */
  readonly oneAtATime: Times;
  /** From one step's end to the next one's with two in flight, as the trainer has it. */
  readonly twoInFlight: Times;
  readonly upload: Times;
  readonly encode: Times;
  /** Of the steps one at a time. */
  readonly losses: readonly number[];
}

/** Times `steps` steps in each way. */
export async function timeSteps(gpu: Gpu, program: Program, feeds: Feeds, steps: number): Promise<StepTimes> {
  const single = [];
  for (let i = 0; i < steps; i++) single.push(await timedRun(program, feeds));
  const inFlight = await timeInFlight(program, feeds, steps);

  const host = [];
  for (let i = 0; i < steps; i++) {
    // Nothing is fetched, so that no waiting hides in the call.
    const [time, running] = timeHost(gpu.device, () => program.run(feeds, []));
    await running;
    await gpu.idle();
    host.push(time);
  }
  return {
    oneAtATime: timesOf(single.map(({ ms }) => ms)),
    twoInFlight: timesOf(inFlight),
    upload: timesOf(host.map(({ upload }) => upload)),
    encode: timesOf(host.map(({ encode }) => encode)),
    losses: single.map(({ loss }) => loss),
  };
}

/** Milliseconds from end to end of `steps` steps, after one that fills the pipe. */
async function timeInFlight(program: Program, feeds: Feeds, steps: number): Promise<number[]> {
  const ends: number[] = [];
  let inFlight: Promise<void> | null = null;
  for (let i = 0; i <= steps; i++) {
    const current = program.run(feeds).then(() => void ends.push(performance.now()));
    current.catch(() => {});
    await inFlight;
    inFlight = current;
  }
  await inFlight;
  return ends.slice(1).map((end, i) => end - ends[i]);
}

export interface Breakdown {
  readonly kernels: readonly KernelShare[];
  /** All dispatches in the order in which they run, as the last run had them. */
  readonly dispatches: readonly DispatchShare[];
}

/** Where the GPU's time goes, from timestamps around every dispatch; the mean of `runs` steps. */
export async function profileStep(program: Program, feeds: Feeds, runs: number): Promise<Breakdown> {
  const all: (readonly DispatchTime[])[] = [];
  for (let i = 0; i < runs; i++) all.push(await program.profile(feeds));
  const dispatches = program.plan.dispatches.map(({ kernel, node }, i) => ({
    label: kernel.label,
    op: node.op.name,
    shape: node.op.outputs[0]?.shape ?? [],
    ms: all.reduce((sum, times) => sum + times[i].nanoseconds, 0) / runs / 1e6,
  }));
  return { kernels: byKernel(all), dispatches };
}
