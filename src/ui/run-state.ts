import type { Freeze, Phase } from "../runs/phase.ts";
import type { Summary } from "../runs/summary.ts";
import { addToCurve, emptyCurve } from "./curve.ts";
import type { Curve } from "./curve.ts";

/**
 * @file What the page shows, and what changes it. The server keeps a {@link RunState} and sends it whole to a page that
 * opens; from then on both apply the same {@link RunMessage}s, so the two cannot drift apart. Plain data, free of Node's
 * and the browser's things.
 */

/** `waiting`: before the first step. `stopped`: it ended, or fell silent, before its last epoch. */
export type RunStatus = "waiting" | "training" | "stopped" | "finished";

export interface RunDescription {
  /** The last part of the folder's path. */
  readonly name: string;
  readonly adapter: string;
  /** Of both phases. */
  readonly epochs: number;
  /** What the first phase leaves as it is. */
  readonly freeze: Freeze;
  /** null where no file says it. */
  readonly stepsPerEpoch: number | null;
  readonly batchSize: number | null;
  /** The epoch fine-tuning begins with; null when there is only one phase. */
  readonly fineTuningFrom: number | null;
  readonly trainingPhotos: number | null;
  readonly validationPhotos: number | null;
}

export interface StepPoint {
  readonly phase: Phase;
  readonly epoch: number;
  /** From 1 within the epoch. */
  readonly step: number;
  readonly globalStep: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number | null;
}

export interface EpochPoint {
  readonly phase: Phase;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly valMeanIou: number | null;
  /** null in runs of earlier versions. */
  readonly valDice: number | null;
  readonly valFwIou: number | null;
  readonly seconds: number;
}

/** How fast it goes; null where nothing is known. */
export interface Pace {
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Share of the time in which steps waited for data. */
  readonly waiting: number | null;
}

/** A picture the page can ask for at `/pictures/<id>.png`. */
export interface Picture {
  readonly id: string;
  readonly label: string;
}

/** Settings or facts by name, as a JSON file has them. */
export type Facts = Readonly<Record<string, unknown>>;

export interface RunState {
  status: RunStatus;
  run: RunDescription | null;
  config: Facts | null;
  environment: Facts | null;
  /** Loss and accuracy of single steps, thinned out when there are many. */
  curve: Curve;
  latest: StepPoint | null;
  epochs: EpochPoint[];
  /** The accuracy of predicting background everywhere. */
  backgroundAccuracy: number | null;
  /** Predictions on validation photos, the oldest first. */
  pictures: Picture[];
  /** The validation photos that were labelled worst and best, of a run that has come to its end. */
  photos: Picture[];
  /** Phases whose memory plan can be asked for at `/plans/<phase>.json`. */
  plans: Phase[];
  pace: Pace;
  summary: Summary | null;
}

export type RunMessage =
  | { type: "state"; state: RunState }
  | { type: "steps"; steps: readonly StepPoint[]; pace: Pace }
  | { type: "epoch"; epoch: EpochPoint; backgroundAccuracy: number; pictures: readonly Picture[] }
  | { type: "plan"; phase: Phase }
  | { type: "end"; summary: Summary; pictures: readonly Picture[]; photos: readonly Picture[] }
  /** The server goes; nothing more will come. */
  | { type: "close" };

export const NO_PACE: Pace = { stepsPerSecond: null, secondsLeft: null, waiting: null };

export const emptyState = (): RunState => ({
  status: "waiting",
  run: null,
  config: null,
  environment: null,
  curve: emptyCurve(),
  latest: null,
  epochs: [],
  backgroundAccuracy: null,
  pictures: [],
  photos: [],
  plans: [],
  pace: NO_PACE,
  summary: null,
});

/** The state after `message`; `state` itself may be changed and must not be used again. */
export function applyMessage(state: RunState, message: RunMessage): RunState {
  switch (message.type) {
    case "state":
      return message.state;
    case "steps":
      state.status = "training";
      for (const step of message.steps) addToCurve(state.curve, step);
      state.latest = message.steps.at(-1) ?? state.latest;
      state.pace = message.pace;
      return state;
    case "epoch":
      state.epochs = [...state.epochs.filter(({ epoch }) => epoch < message.epoch.epoch), message.epoch];
      state.backgroundAccuracy = message.backgroundAccuracy;
      state.pictures = [...message.pictures];
      return state;
    case "plan":
      if (!state.plans.includes(message.phase)) state.plans = [...state.plans, message.phase];
      return state;
    case "end":
      state.status = "finished";
      state.summary = message.summary;
      state.backgroundAccuracy = message.summary.background_accuracy;
      state.pictures = [...message.pictures];
      state.photos = [...message.photos];
      state.pace = { ...state.pace, waiting: message.summary.data_wait_share, secondsLeft: 0 };
      return state;
    case "close":
      if (state.status !== "finished") state.status = "stopped";
      return state;
  }
}
