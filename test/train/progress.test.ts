import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createProgress, formatDuration } from "../../src/train/progress.ts";

const evaluation = { loss: 0.9, accuracy: 0.8, backgroundAccuracy: 0.7, count: 4 };

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
  const options = { batchSize: 4, stepsPerEpoch: 2, epochs: 1 };
  const step = { phase: "frozen", epoch: 1, step: 1, loss: 1, accuracy: 0.5 } as const;
  const epoch = {
    phase: "frozen",
    epoch: 1,
    loss: 1,
    accuracy: 0.5,
    validation: evaluation,
    seconds: 3.4,
  } as const;
  const line =
    "Epoch 1/1 (encoder frozen)  loss 1.0000  accuracy 0.5000  val_loss 0.9000  val_accuracy 0.8000  3 s";

  it("writes plain lines without control characters where there is no terminal", () => {
    const { text, stream } = record(false);
    const progress = createProgress(stream, options);
    progress.step(step);
    progress.epoch(epoch);
    progress.close();
    expect(text()).toBe(`${line}\n`);
  });

  it("draws a bar on a terminal and takes it away again", () => {
    const { text, stream } = record(true);
    const progress = createProgress(stream, options);
    progress.step(step);
    progress.epoch(epoch);
    progress.close();
    expect(text()).toContain("Epoch 1/1 encoder frozen [");
    expect(text()).toContain(`${line}\n`);
    expect(text().lastIndexOf("\u001b[?25h")).toBeGreaterThan(text().lastIndexOf("\u001b[?25l"));
  });

  it("formats durations", () => {
    expect([3, 247, 3909].map(formatDuration)).toEqual(["0:03", "4:07", "1:05:09"]);
  });
});
