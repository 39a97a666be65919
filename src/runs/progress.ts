import { SingleBar } from "cli-progress";
import type { EpochResult, RunInfo, RunObserver, StepResult } from "./observer.ts";
import { phaseName } from "./phase.ts";
import type { Freeze } from "./phase.ts";

interface ProgressOptions extends Pick<RunInfo, "stepsPerEpoch" | "epochs" | "monitor"> {
  readonly batchSize: number;
  readonly freeze: Freeze;
}

/** What is told to a person. */
interface Progress {
  step(result: StepResult): void;
  epoch(result: EpochResult): void;
  /** Leaves the terminal as it was found. */
  close(): void;
}

/** Tells a person how training goes: a bar that is redrawn on a terminal, plain lines elsewhere. */
export function createProgress(stream: NodeJS.WriteStream): RunObserver {
  let progress: Progress | undefined;
  return {
    start: ({ config, stepsPerEpoch, epochs, monitor }) => {
      const { batchSize, freeze } = config;
      const options = { batchSize, stepsPerEpoch, epochs, monitor, freeze };
      progress = stream.isTTY ? bar(stream, options) : lines(stream, options);
    },
    step: (result) => progress?.step(result),
    epoch: (result) => progress?.epoch(result),
    close: () => progress?.close(),
  };
}

export function formatStep({ loss, accuracy }: Pick<StepResult, "loss" | "accuracy">): string {
  return `loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}`;
}

export function formatEpoch(
  { epoch, phase, loss, accuracy, validation, monitored, seconds }: EpochResult,
  { epochs, monitor, freeze }: Pick<ProgressOptions, "epochs" | "monitor" | "freeze">,
): string {
  const trained = formatStep({ loss, accuracy });
  const validated = `val_loss ${validation.loss.toFixed(4)}  val_accuracy ${validation.accuracy.toFixed(4)}`;
  const told = monitor === "val_loss" || monitor === "val_accuracy" || monitored === null;
  const decisive = told ? "" : `  ${monitor} ${monitored.toFixed(4)}`;
  return `Epoch ${epoch}/${epochs} (${phaseName(phase, freeze)})  ${trained}  ${validated}${decisive}  ${seconds.toFixed(0)} s`;
}

/** `1:05:09`, `4:07`, `0:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Speed over the last few steps, so that compilation and validation do not blur it. */
class Speed {
  readonly #times: number[] = [];

  /** Steps a second, once there are two steps. */
  add(now = performance.now()): number | null {
    this.#times.push(now);
    if (this.#times.length > 10) this.#times.shift();
    const span = (now - this.#times[0]) / 1000;
    return span > 0 ? (this.#times.length - 1) / span : null;
  }

  reset(): void {
    this.#times.length = 0;
  }
}

function bar(stream: NodeJS.WriteStream, options: ProgressOptions): Progress {
  const { batchSize, stepsPerEpoch, epochs, freeze } = options;
  const speed = new Speed();
  const format = "  {label} [{bar}] {value}/{total}  {metrics}";
  const single = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true, barsize: 24 });
  // cli-progress hides the cursor; a signal must not leave it hidden.
  const restore = (): void => single.stop();
  process.once("exit", restore);
  let active = false;
  return {
    step(result) {
      if (!active) {
        single.start(stepsPerEpoch, 0, { label: "", metrics: "" });
        speed.reset();
        active = true;
      }
      const rate = speed.add();
      const left = ((epochs - result.epoch + 1) * stepsPerEpoch - result.step) / (rate ?? NaN);
      const pace =
        rate === null ? "" : `  ${(rate * batchSize).toFixed(1)} images/s  ${formatDuration(left)} left`;
      single.update(result.step, {
        label: `Epoch ${result.epoch}/${epochs} ${phaseName(result.phase, freeze)}`,
        metrics: formatStep(result) + pace,
      });
    },
    epoch(result) {
      single.stop();
      active = false;
      stream.write(`${formatEpoch(result, options)}\n`);
    },
    close() {
      single.stop();
      process.removeListener("exit", restore);
    },
  };
}

/** Seconds between two lines within an epoch. */
const LINE_EVERY = 10;

function lines(stream: NodeJS.WriteStream, options: ProgressOptions): Progress {
  const { batchSize, stepsPerEpoch, epochs } = options;
  const speed = new Speed();
  let lastLine = performance.now();
  return {
    step(result) {
      const rate = speed.add();
      if (performance.now() - lastLine < LINE_EVERY * 1000 || rate === null) return;
      lastLine = performance.now();
      const left = ((epochs - result.epoch + 1) * stepsPerEpoch - result.step) / rate;
      stream.write(
        `  step ${result.step}/${stepsPerEpoch}  ${formatStep(result)}  ` +
          `${(rate * batchSize).toFixed(1)} images/s  ${formatDuration(left)} left\n`,
      );
    },
    epoch(result) {
      speed.reset();
      lastLine = performance.now();
      stream.write(`${formatEpoch(result, options)}\n`);
    },
    close() {},
  };
}
