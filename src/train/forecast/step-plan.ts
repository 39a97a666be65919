import { plan } from "../../graph/plan.ts";
import type { Goals, Plan } from "../../graph/plan.ts";
import { printPlan } from "../../graph/print.ts";
import { bytesOf } from "../../graph/shape.ts";
import type { KernelTarget } from "../../kernels/kernel.ts";
import { accumulatedStep, microBatchSize } from "../phase/accumulation.ts";
import { trainingStep } from "../phase/programs.ts";
import type { StepSpec } from "../phase/programs.ts";
import type { Phase } from "../../runs/phase.ts";

/** A program of a step, and how often the step runs it. */
export interface StepProgram {
  readonly goals: Goals;
  readonly runs: number;
}

/** What a training step of `spec.batchSize` photos runs: one program, or where it accumulates one a micro-batch and one that ends it. */
export function stepPrograms(spec: StepSpec, phase: Phase): StepProgram[] {
  const batchSize = microBatchSize(spec);
  if ((spec.accumulate ?? 1) === 1) return [{ goals: trainingStep(spec, phase), runs: 1 }];
  const { gradient, apply } = accumulatedStep({ ...spec, batchSize }, phase);
  return [
    { goals: gradient, runs: Math.ceil(spec.batchSize / batchSize) },
    { goals: apply, runs: 1 },
  ];
}

/**
 * Plans a training step of `spec.batchSize` photos, in micro-batches where it accumulates.
 *
 * @throws Error when something exceeds the adapter's limits.
 */
export function planStep(spec: StepSpec, phase: Phase, target: KernelTarget): Plan {
  const [first, second] = stepPrograms(spec, phase);
  const step = plan(first.goals, target);
  return second ? accumulatedPlan(first.runs, step, plan(second.goals, target)) : step;
}

/**
 * The plan of a step that runs one program `passes` times and then another: the arenas of both, one micro-batch followed by
 * the end of the step. Its summary counts the dispatches of every pass.
 */
export function accumulatedPlan(passes: number, gradient: Plan, apply: Plan): Plan {
  const dispatches = [...gradient.dispatches, ...apply.dispatches];
  const variables = new Map(
    [...gradient.variables, ...apply.variables].map((tensor) => [tensor.name, tensor]),
  );
  const arenaBytes = gradient.summary.arenaBytes + apply.summary.arenaBytes;
  const inputBytes = gradient.summary.inputBytes + apply.summary.inputBytes;
  const variableBytes = [...variables.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const [dispatchesBefore, blocksBefore] = [gradient.dispatches.length, gradient.blocks.length];
  const planned = {
    dispatches,
    inputs: [...gradient.inputs, ...apply.inputs],
    variables: [...variables.values()],
    outputs: new Map([...gradient.outputs, ...apply.outputs]),
    taps: gradient.taps,
    hostWork: gradient.hostWork,
    blocks: [...gradient.blocks, ...apply.blocks],
    blockOf: new Map([
      ...gradient.blockOf,
      ...[...apply.blockOf].map(([owner, block]) => [owner, block + blocksBefore] as const),
    ]),
    lifetimes: [
      ...gradient.lifetimes,
      ...apply.lifetimes.map((life) => ({
        ...life,
        first: life.first + dispatchesBefore,
        last: life.last + dispatchesBefore,
      })),
    ],
    summary: {
      dispatches: passes * gradient.summary.dispatches + apply.summary.dispatches,
      pipelines: new Set(dispatches.map(({ kernel }) => kernel.wgsl)).size,
      arenaBytes,
      inputBytes,
      variableBytes,
      peakBytes: arenaBytes + inputBytes + variableBytes,
    },
  };
  return { ...planned, print: () => printPlan(planned) };
}
