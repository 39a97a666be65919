import { join } from "node:path";
import type { RunInfo, RunObserver } from "../observer.ts";
import { TfEventsWriter } from "./tf-events-writer.ts";

/**
 * Writes a run down for TensorBoard (`tensorboard --logdir <folder>`), all over the run's global step:
 *
 * - each step: `train/loss`, `train/accuracy`, `train/learning_rate`;
 * - each epoch: `epoch/loss` and `epoch/accuracy` (means over its steps), `epoch/seconds`, `validation/loss`,
 *   `validation/accuracy`, `validation/mean_iou`, and the picture `predictions`;
 * - once: the run's settings as the text `run/config`.
 *
 * A resumed run adds a file to the same folder, and TensorBoard drops the steps that were made twice. When the file cannot
 * be written any more (a full disk), the call throws one sentence that names it, and the run ends as for any other file
 * it cannot write; the event file stays readable up to its last whole record.
 *
 * @param folder where the event file goes; the run's own `tensorboard/` unless told otherwise
 */
export function tensorBoard(folder?: string): RunObserver {
  let writer: TfEventsWriter | undefined;
  return {
    async start(run) {
      const firstStep = run.resumedAtStep + 1;
      writer = await TfEventsWriter.create(folder ?? join(run.path, "tensorboard"), { firstStep });
      writer.text(run.resumedAtStep, "run/config", describeRun(run));
    },
    step({ globalStep, loss, accuracy, learningRate }) {
      writer?.scalars(globalStep, {
        "train/loss": loss,
        "train/accuracy": accuracy,
        "train/learning_rate": learningRate,
      });
    },
    epoch({ globalStep, loss, accuracy, seconds, validation, predictions }) {
      writer?.scalars(globalStep, {
        "epoch/loss": loss,
        "epoch/accuracy": accuracy,
        "epoch/seconds": seconds,
        "validation/loss": validation.loss,
        "validation/accuracy": validation.accuracy,
        "validation/mean_iou": validation.meanIou,
      });
      writer?.image(globalStep, "predictions", predictions);
      writer?.flush();
    },
    close() {
      writer?.close();
    },
  };
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
