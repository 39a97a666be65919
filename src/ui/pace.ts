import { NO_PACE } from "./run-state.ts";
import type { Pace } from "./run-state.ts";

/** Steps whose times tell the speed. */
const WINDOW = 20;

interface Moment {
  readonly globalStep: number;
  /** Seconds on any clock. */
  readonly at: number;
  /** Seconds that steps have waited for data so far; null when nobody counts them. */
  readonly waited: number | null;
}

/** Speed and time left, from the times of the last steps and how long a whole epoch took. */
export class PaceMeter {
  readonly #moments: Moment[] = [];
  readonly #epochs: number;
  readonly #stepsPerEpoch: number;
  #secondsPerEpoch: number | null = null;

  constructor(run: { epochs: number; stepsPerEpoch: number }) {
    this.#epochs = run.epochs;
    this.#stepsPerEpoch = run.stepsPerEpoch;
  }

  step(moment: Moment): void {
    this.#moments.push(moment);
    if (this.#moments.length > WINDOW) this.#moments.shift();
  }

  /** Validation and compiling are no part of a step's time, so the next step is measured from a new start. */
  epoch(seconds: number): void {
    this.#secondsPerEpoch = seconds;
    this.#moments.length = 0;
  }

  /** The steps of another phase take another time. */
  phase(): void {
    this.#secondsPerEpoch = null;
    this.#moments.length = 0;
  }

  /** What is known after the last step; `before` is kept while an epoch's first steps tell nothing yet. */
  read(before: Pace = NO_PACE): Pace {
    const [first, last] = [this.#moments[0], this.#moments.at(-1)];
    if (!first || !last) return before;
    const seconds = last.at - first.at;
    const stepsPerSecond =
      seconds > 0 ? (last.globalStep - first.globalStep) / seconds : before.stepsPerSecond;
    const left = this.#epochs * this.#stepsPerEpoch - last.globalStep;
    const perStep =
      this.#secondsPerEpoch === null
        ? stepsPerSecond && 1 / stepsPerSecond
        : this.#secondsPerEpoch / this.#stepsPerEpoch;
    const waiting =
      seconds > 0 && last.waited !== null && first.waited !== null
        ? Math.min(1, Math.max(0, (last.waited - first.waited) / seconds))
        : before.waiting;
    return { stepsPerSecond, secondsLeft: perStep === null ? null : Math.max(0, left * perStep), waiting };
  }
}
