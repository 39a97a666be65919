import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/index.ts";
import { ConfusionMatrix } from "../../src/runs/metrics.ts";
import type { EpochResult, RunInfo, StepResult } from "../../src/runs/observer.ts";
import { createProgress, formatDuration } from "../../src/runs/progress.ts";

const run: RunInfo = {
  path: "runs/train-1",
  config: resolveConfig([], "lavapipe"),
  adapter: "none",
  classNames: ["null"],
  monitor: "val_accuracy",
  epochs: 1,
  stepsPerEpoch: 2,
  trainingPhotos: 8,
  validationPhotos: 4,
  resumedAtStep: 0,
};
const at = { phase: "frozen", epoch: 1, globalStep: 1, loss: 1, accuracy: 0.5 } as const;
const step: StepResult = { ...at, step: 1, learningRate: 1e-3 };
const epoch: EpochResult = {
  ...at,
  validation: {
    loss: 0.9,
    accuracy: 0.8,
    meanIou: 0.1,
    meanDice: 0.2,
    frequencyWeightedIou: 0.6,
    backgroundAccuracy: 0.7,
    count: 4,
    confusion: new ConfusionMatrix(1),
    predictions: [],
    scores: { photos: [], worst: [], best: [] },
  },
  monitored: 0.8,
  predictions: Buffer.of(),
  seconds: 3.4,
};

function record(isTTY: boolean): { text: () => string; stream: NodeJS.WriteStream } {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 100,
    cursorTo() {},
    clearLine() {},
    moveCursor() {},
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString(), stream: stream as unknown as NodeJS.WriteStream };
}

describe("progress", () => {
  const line =
    "Epoch 1/1 (encoder frozen)  loss 1.0000  accuracy 0.5000  val_loss 0.9000  val_accuracy 0.8000  3 s";

  async function follow(stream: NodeJS.WriteStream, some: Partial<RunInfo> = {}): Promise<void> {
    const progress = createProgress(stream);
    await progress.start?.({ ...run, ...some });
    progress.step?.(step);
    await progress.epoch?.(epoch);
    await progress.close?.();
  }

  it("writes plain lines without control characters where there is no terminal", async () => {
    const { text, stream } = record(false);
    await follow(stream);
    expect(text()).toBe(`${line}\n`);
  });

  it("tells what is monitored where it is another figure", async () => {
    const { text, stream } = record(false);
    await follow(stream, { monitor: "val_dice" });
    expect(text()).toBe(`${line.replace("  3 s", "  val_dice 0.8000  3 s")}\n`);
  });

  it("draws a bar on a terminal and takes it away again", async () => {
    const { text, stream } = record(true);
    await follow(stream);
    expect(text()).toContain("Epoch 1/1 encoder frozen [");
    expect(text()).toContain(`${line}\n`);
    expect(text().lastIndexOf("\u001b[?25h")).toBeGreaterThan(text().lastIndexOf("\u001b[?25l"));
  });

  it("says what the first phase freezes", async () => {
    const { text, stream } = record(false);
    const progress = createProgress(stream);
    await progress.start?.({ ...run, config: { ...run.config, freeze: "none" } });
    await progress.epoch?.(epoch);
    await progress.epoch?.({ ...epoch, phase: "finetune" });
    await progress.close?.();
    expect(text()).toMatch(/^Epoch 1\/1 \(nothing frozen\) .*\nEpoch 1\/1 \(fine-tuning\) /);
  });

  it("formats durations", () => {
    expect([3, 247, 3909].map(formatDuration)).toEqual(["0:03", "4:07", "1:05:09"]);
  });
});
