import { execFile } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FileError } from "../../../src/files/file-error.ts";
import { tensorBoard } from "../../../src/runs/tensorboard/tensorboard.ts";
import { TfEventsWriter } from "../../../src/runs/tensorboard/tf-events-writer.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { epochResult, png, runInfo, stepResult } from "./a-run.ts";
import { readEvents } from "./read-events.ts";
import type { ReadEvent } from "./read-events.ts";

const run = promisify(execFile);

/** Steps 1 to 5 with an epoch's end after 3, then, resumed from that, steps 4 to 6 and the end. */
async function interruptedRun(path: string): Promise<void> {
  await mkdir(path);
  const first = tensorBoard();
  await first.start?.(runInfo(path));
  for (let step = 1; step <= 5; step++) {
    first.step?.(stepResult(step, step > 3 ? 99 : undefined));
    if (step === 3) await first.epoch?.(epochResult(step, await png(4, 3)));
  }
  await first.close?.();
  const second = tensorBoard();
  await second.start?.(runInfo(path, 3));
  for (let step = 4; step <= 6; step++) second.step?.(stepResult(step));
  await second.epoch?.(epochResult(6, await png(5, 3)));
  await second.close?.();
}

const events = async (folder: string): Promise<ReadEvent[][]> =>
  Promise.all(
    (await readdir(folder)).sort().map(async (name) => readEvents(await readFile(join(folder, name)))),
  );

describe("tensorBoard", () => {
  const folder = temporaryFolder();

  it("writes steps, epochs, predictions and settings into the run's folder", async () => {
    await interruptedRun(folder("run"));
    const [first, second] = await events(join(folder("run"), "tensorboard"));
    const told = (file: ReadEvent[]): string[] =>
      file.flatMap(({ step, values }) => values.map(({ tag }) => `${step} ${tag}`));
    const train = ["loss", "accuracy", "learning_rate"].map((name) => `train/${name}`);
    const epoch = ["epoch/loss", "epoch/accuracy", "epoch/seconds"];
    const validation = ["loss", "accuracy", "mean_iou", "dice", "fw_iou"].map((name) => `validation/${name}`);
    const at = (step: number, tags: string[]): string[] => tags.map((tag) => `${step} ${tag}`);
    expect(told(first)).toEqual([
      "0 run/config",
      ...[1, 2, 3].flatMap((step) => at(step, train)),
      ...at(3, [...epoch, ...validation, "predictions"]),
      ...[4, 5].flatMap((step) => at(step, train)),
    ]);
    expect(told(second).slice(0, 2)).toEqual(["3 run/config", "4 train/loss"]);
    expect([first[1], second[1]].map(({ start, step }) => [start, step])).toEqual([
      [true, 1n],
      [true, 4n],
    ]);
    const values = new Map(first.flatMap((event) => event.values).map((value) => [value.tag, value]));
    expect(values.get("validation/mean_iou")!.scalar).toBe(0.25);
    expect(values.get("epoch/seconds")!.scalar).toBe(12);
    expect(values.get("predictions")!.image).toMatchObject({ width: 4n, height: 3n });
    const config = values.get("run/config")!.text!;
    expect(config).toContain("| adapter | llvmpipe (LLVM 15) |\n");
    expect(config).toContain("| data | null |\n| note | a \\| b c |");
  });

  it("writes elsewhere when told to, and nothing when the run never began", async () => {
    const observer = tensorBoard(folder("elsewhere"));
    await observer.close?.();
    await expect(readdir(folder("elsewhere"))).rejects.toThrow("ENOENT");
    await observer.start?.(runInfo(folder("no such run")));
    await observer.close?.();
    expect(await readdir(folder("elsewhere"))).toHaveLength(1);
  });

  it("says once that the file cannot be written any more, and the run goes on without it", async () => {
    const full = new FileError("Cannot write events: the disk is full.");
    const scalars = vi.spyOn(TfEventsWriter.prototype, "scalars");
    onTestFinished(() => scalars.mockRestore());
    await mkdir(folder("full"));
    const said: string[] = [];
    const observer = tensorBoard(undefined, (sentence) => said.push(sentence));
    await observer.start?.(runInfo(folder("full")));
    observer.step?.(stepResult(1));
    scalars.mockImplementationOnce(() => {
      throw full;
    });
    for (const step of [2, 3]) observer.step?.(stepResult(step));
    await observer.epoch?.(epochResult(3, await png(4, 3)));
    await observer.close?.();
    expect(said).toEqual([
      "Cannot write events: the disk is full. TensorBoard shows nothing of the run from here on.",
    ]);
    const [file] = await events(join(folder("full"), "tensorboard"));
    expect(file.map(({ step, values }) => `${step} ${values.length}`).slice(2)).toEqual(["0 1", "1 3"]);

    await mkdir(folder("told to nobody"));
    const strict = tensorBoard();
    await strict.start?.(runInfo(folder("told to nobody")));
    scalars.mockImplementationOnce(() => {
      throw full;
    });
    expect(() => strict.step?.(stepResult(1))).toThrow(full.message);
    await strict.close?.();
  });

  const python = process.env.BESPOKE_TENSORBOARD;
  if (!python) {
    console.log(
      "Skipped: reading with the real TensorBoard; BESPOKE_TENSORBOARD names no Python that has it.",
    );
  }
  it.skipIf(!python)("is read by TensorBoard, which drops the steps that were made twice", async () => {
    await interruptedRun(folder("real"));
    const script = join(dirname(fileURLToPath(import.meta.url)), "read_events.py");
    const { stdout } = await run(python!, [script, join(folder("real"), "tensorboard")]);
    const read = JSON.parse(stdout) as {
      scalars: Record<string, [number, number][]>;
      images: Record<string, [number, number, number][]>;
      texts: Record<string, [number, string][]>;
    };
    expect(read.scalars["train/loss"]).toEqual(
      [1, 2, 3, 4, 5, 6].map((step) => [step, Math.fround(1 / step)]),
    );
    expect(read.scalars["validation/accuracy"]).toEqual([
      [3, 0.875],
      [6, 0.875],
    ]);
    expect(Object.keys(read.scalars)).toHaveLength(9);
    expect(read.images).toEqual({
      predictions: [
        [3, 4, 3],
        [6, 5, 3],
      ],
    });
    expect(read.texts["run/config"].map(([step]) => step)).toEqual([0, 3]);
  });
});
