import { join } from "node:path";
import { FileError } from "../../files/file-error.ts";
import type { RunInfo, RunObserver } from "../observer.ts";
import { TfEventsWriter } from "./tf-events-writer.ts";

/**
 * Writes a run down for TensorBoard (`tensorboard --logdir <folder>`), all over the run's global step:
 *
 * - each step: `train/loss`, `train/accuracy`, `train/learning_rate`;
 * - each epoch: `epoch/loss` and `epoch/accuracy` (means over its steps), `epoch/seconds`, `validation/loss`,
 *   `validation/accuracy`, `validation/mean_iou`, `validation/dice`, `validation/fw_iou`, and the picture `predictions`;
 * - once: the run's settings as the text `run/config`.
 *
 * A resumed run adds a file to the same folder, and TensorBoard drops the steps that were made twice. A file that cannot be
 * begun is an error. One that cannot be written any more later (a full disk) need not end a run of hours: it stays readable
 * up to its last whole record, and the run goes on without it.
 *
 * @param folder where the event file goes; the run's own `tensorboard/` by default
 * @param onFailure is told once, in a sentence, when the file cannot be written any more; without it that is thrown, and
 *   ends the run
 */
export function tensorBoard(
  folder?: string,
  onFailure: (sentence: string) => void = (sentence) => {
    throw new FileError(sentence);
  },
): RunObserver {
  let writer: TfEventsWriter | undefined;
  const write = (what: (writer: TfEventsWriter) => void): void => {
    if (writer === undefined) return;
    const open = writer;
    try {
      what(open);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      writer = undefined;
      closeQuietly(open);
      onFailure(`${error.message} TensorBoard shows nothing of the run from here on.`);
    }
  };
  return {
    async start(run) {
      const firstStep = run.resumedAtStep + 1;
      writer = await TfEventsWriter.create(folder ?? join(run.path, "tensorboard"), { firstStep });
      writer.text(run.resumedAtStep, "run/config", describeRun(run));
    },
    step({ globalStep, loss, accuracy, learningRate }) {
      write((events) =>
        events.scalars(globalStep, {
          "train/loss": loss,
          "train/accuracy": accuracy,
          "train/learning_rate": learningRate,
        }),
      );
    },
    epoch({ globalStep, loss, accuracy, seconds, validation, predictions }) {
      write((events) => {
        events.scalars(globalStep, {
          "epoch/loss": loss,
          "epoch/accuracy": accuracy,
          "epoch/seconds": seconds,
          "validation/loss": validation.loss,
          "validation/accuracy": validation.accuracy,
          "validation/mean_iou": validation.meanIou,
          "validation/dice": validation.meanDice,
          "validation/fw_iou": validation.frequencyWeightedIou,
        });
        events.image(globalStep, "predictions", predictions);
        events.flush();
      });
    },
    close() {
      write((events) => events.close());
    },
  };
}

function closeQuietly(writer: TfEventsWriter): void {
  try {
    writer.close();
  } catch {
    // Why it cannot be written has been said.
  }
}

/** A Markdown table of the settings, and what the run works on. */
function describeRun(run: RunInfo): string {
  const facts = {
    ...run.config,
    adapter: run.adapter,
    epochs: run.epochs,
    "steps an epoch": run.stepsPerEpoch,
    "training photos": run.trainingPhotos,
    "validation photos": run.validationPhotos,
    classes: run.classNames.length,
  };
  const rows = Object.entries(facts).map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`);
  return ["| setting | value |", "| --- | --- |", ...rows].join("\n");
}

function cell(value: unknown): string {
  const words = typeof value === "string" ? value : JSON.stringify(value);
  return String(words).replace(/[|\\]/g, "\\$&").replace(/\s+/g, " ");
}
