import type { Plan } from "../graph/plan.ts";
import type { TrainConfig } from "../config/index.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Phase } from "./phase.ts";
import type { Summary } from "./summary.ts";

/** What is known of a run when it begins. */
export interface RunInfo {
  /** The run's folder. */
  readonly path: string;
  readonly config: TrainConfig;
  readonly adapter: string;
  readonly classNames: readonly string[];
  /** Of both phases. */
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly trainingPhotos: number;
  readonly validationPhotos: number;
  /** Steps made before this process began; 0 for a fresh run. */
  readonly resumedAtStep: number;
}

export interface StepResult {
  readonly phase: Phase;
  /** From 1, counted through both phases. */
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly step: number;
  /** From 1 within the run. */
  readonly globalStep: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  /** Milliseconds that all steps of this process so far have waited for data. */
  readonly waitedMs?: number;
}

export interface EpochResult {
  readonly phase: Phase;
  readonly epoch: number;
  readonly globalStep: number;
  /** Means over the epoch's steps. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validation: Evaluation;
  /** PNG: what the network says of a few validation photos, beside the truth. */
  readonly predictions: Buffer;
  /** Training and evaluation together. */
  readonly seconds: number;
}

/** Something that follows a run: a progress bar, event files, a live page. Each call may take its time, the run waits. */
export interface RunObserver {
  start?(run: RunInfo): void | Promise<void>;
  /** A phase's training step has been planned and compiled. */
  phase?(phase: Phase, plan: Plan): void | Promise<void>;
  step?(result: StepResult): void;
  epoch?(result: EpochResult): void | Promise<void>;
  /** The run came to its end. */
  end?(summary: Summary): void | Promise<void>;
  /** Always called last, after a failure too. */
  close?(): void | Promise<void>;
}

/** One observer that tells all of `observers`, in order. */
export function allOf(observers: readonly RunObserver[]): Required<RunObserver> {
  const each = async (tell: (observer: RunObserver) => void | Promise<void>): Promise<void> => {
    for (const observer of observers) await tell(observer);
  };
  return {
    start: (run) => each((o) => o.start?.(run)),
    phase: (phase, plan) => each((o) => o.phase?.(phase, plan)),
    step: (result) => observers.forEach((o) => o.step?.(result)),
    epoch: (result) => each((o) => o.epoch?.(result)),
    end: (summary) => each((o) => o.end?.(summary)),
    close: () => each((o) => o.close?.()),
  };
}
