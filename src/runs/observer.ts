import type { Plan } from "../graph/plan.ts";
import { messageOf } from "../message-of.ts";
import type { TrainConfig } from "../config/index.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Monitor } from "./monitor.ts";
import type { Phase } from "./phase.ts";
import type { Summary } from "./summary.ts";

/** What is known of a run when it begins. */
export interface RunInfo {
  /** The run's folder. */
  readonly path: string;
  /** Every setting of the run. */
  readonly config: TrainConfig;
  /** The adapter's name. */
  readonly adapter: string;
  /** The class that each label means. */
  readonly classNames: readonly string[];
  /** What decides which epoch is best. */
  readonly monitor: Monitor;
  /** Of both phases. */
  readonly epochs: number;
  /** Training steps an epoch. */
  readonly stepsPerEpoch: number;
  /** Photos that are trained on. */
  readonly trainingPhotos: number;
  /** Photos that are validated on. */
  readonly validationPhotos: number;
  /** Steps made before this process began; 0 for a fresh run. */
  readonly resumedAtStep: number;
}

/** What came of a training step. */
export interface StepResult {
  /** The phase it is part of. */
  readonly phase: Phase;
  /** From 1, counted through both phases. */
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly step: number;
  /** From 1 within the run. */
  readonly globalStep: number;
  /** Over the pixels of the batch that count. */
  readonly loss: number;
  /** Share of these pixels told right. */
  readonly accuracy: number;
  /** What the optimizer was given. */
  readonly learningRate: number;
  /** Milliseconds that all steps of this process so far have waited for data. */
  readonly waitedMs?: number;
}

/** What came of an epoch. */
export interface EpochResult {
  /** The phase it is part of. */
  readonly phase: Phase;
  /** From 1, counted through both phases. */
  readonly epoch: number;
  /** Steps of the run so far. */
  readonly globalStep: number;
  /** Mean over the epoch's steps. */
  readonly loss: number;
  /** Mean over the epoch's steps. */
  readonly accuracy: number;
  /** Over the validation photos. */
  readonly validation: Evaluation;
  /** The value of what is monitored. */
  readonly monitored: number | null;
  /** PNG: what the network says of a few validation photos, beside the truth. */
  readonly predictions: Buffer;
  /** Training and evaluation together. */
  readonly seconds: number;
}

/**
 * Something that follows a run: a progress bar, event files, a live page. Each call may take its time, the run waits. What
 * it throws ends the run, as a callback of Keras's does, with the last checkpoint whole; what should not matter so much, it
 * has to catch itself.
 */
export interface RunObserver {
  /** The run begins, or goes on: its folder is there, and this process has made no step. */
  start?(run: RunInfo): void | Promise<void>;
  /** A phase's training step has been planned and compiled. */
  phase?(phase: Phase, plan: Plan): void | Promise<void>;
  /** A training step has come back; steps that run ahead are told later, in order. */
  step?(result: StepResult): void;
  /** An epoch and its validation are done, and the checkpoint behind it is written. */
  epoch?(result: EpochResult): void | Promise<void>;
  /** The run came to its end. */
  end?(summary: Summary): void | Promise<void>;
  /** Always called last, after a failure too. What it throws is said and changes nothing more. */
  close?(): void | Promise<void>;
}

/**
 * One observer that tells all of `observers`, in order. When some of them throw, the others are told all the same, and then
 * it throws what they have thrown: the one error, or an AggregateError whose message has all of theirs.
 */
export function allOf(observers: readonly RunObserver[]): Required<RunObserver> {
  const each = async (tell: (observer: RunObserver) => void | Promise<void>): Promise<void> => {
    const errors: unknown[] = [];
    for (const observer of observers) {
      try {
        await tell(observer);
      } catch (error) {
        errors.push(error);
      }
    }
    throwAll(errors);
  };
  return {
    start: (run) => each((o) => o.start?.(run)),
    phase: (phase, plan) => each((o) => o.phase?.(phase, plan)),
    step(result) {
      const errors: unknown[] = [];
      for (const observer of observers) {
        try {
          observer.step?.(result);
        } catch (error) {
          errors.push(error);
        }
      }
      throwAll(errors);
    },
    epoch: (result) => each((o) => o.epoch?.(result)),
    end: (summary) => each((o) => o.end?.(summary)),
    close: () => each((o) => o.close?.()),
  };
}

function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join(" "));
}
