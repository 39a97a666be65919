import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { readConfigFile, resolveConfig } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";
import type { RunObserver } from "../../src/runs/observer.ts";
import { readHistory } from "../../src/runs/history.ts";
import type { Summary } from "../../src/runs/summary.ts";
import { RunError } from "../../src/runs/run-error.ts";
import { classPixels } from "../../src/train/class-weights.ts";
import { biasOfFrequencies } from "../../src/train/head-bias.ts";
import { openData } from "../../src/train/run-data.ts";
import { train } from "../../src/train/train.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);
vi.mock(import("../../src/runs/figures/render-svg.ts"), () => import("../helpers/white-figures.ts"));

describe("train", () => {
  let folder: string;
  let gpu: Gpu;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-train-"));
    gpu = await openGpu();
  });
  afterEach(async () => {
    gpu.destroy();
    await rm(folder, { recursive: true });
  });

  const sentences: string[] = [];
  beforeEach(() => void (sentences.length = 0));

  /** A run of three epochs of a step, followed by the observers; an error stands for one that cannot be made. */
  const run = (...observers: (RunObserver | Error)[]): Promise<unknown> => runWith({}, ...observers);

  async function runWith(said: Said, ...observers: (RunObserver | Error)[]): Promise<unknown> {
    const settings = {
      ...{ imageSize: 32, batchSize: 2, epochsFrozen: 3, epochsFinetune: 0, stepsPerEpoch: 1 },
      ...{ validationPhotos: 2, tensorboard: false, out: join(folder, "run") },
      ...said,
    };
    const config = resolveConfig([{ file: null, said: settings }], "lavapipe");
    const makers = observers.map((observer) => () => {
      if (observer instanceof Error) throw observer;
      return observer;
    });
    return train({ config, gpu, say: (sentence) => sentences.push(sentence), observers: makers }).catch(
      (error: unknown) => error,
    );
  }

  it("tells its observers of everything, in order", async () => {
    const heard: string[] = [];
    const stubborn: RunObserver = {
      close: () => {
        throw new Error("It does not end.");
      },
    };
    const summary = await run(stubborn, {
      start: ({ epochs, stepsPerEpoch }) => void heard.push(`start ${epochs}×${stepsPerEpoch}`),
      phase: (phase, { summary }) => void heard.push(`phase ${phase} ${summary.dispatches > 10}`),
      step: ({ globalStep }) => heard.push(`step ${globalStep}`),
      epoch: ({ epoch, predictions }) =>
        void heard.push(`epoch ${epoch} ${predictions.subarray(1, 4).toString()}`),
      end: ({ steps }) => void heard.push(`end ${steps}`),
      close: () => void heard.push("close"),
    });
    const epochs = [1, 2, 3].flatMap((number) => [`step ${number}`, `epoch ${number} PNG`]);
    expect(heard).toEqual(["start 3×1", "phase frozen true", ...epochs, "end 3", "close"]);
    // One that cannot be closed changes nothing for the others, nor of how the run ended.
    expect(summary).toMatchObject({ steps: 3, ending: "finished" });
    expect(sentences).toContain("What follows the run could not be ended properly: It does not end.");
    const config = await readConfigFile(join(folder, "run", "config.json"));
    expect(resolveConfig([config], "hardware")).toMatchObject({ imageSize: 32, epochsFrozen: 3, out: null });
  });

  it("begins with the head's bias at the classes' frequencies, and goes on with what it has learned", async () => {
    const out = join(folder, "run");
    const said = { headBias: "frequencies", epochsFrozen: 1, learningRate: 1e-12 } as const;
    await runWith(said);
    const config = resolveConfig([await readConfigFile(join(out, "config.json"))], "lavapipe");
    const { photos } = await openData(config, () => {});
    const { values } = await readCheckpoint(join(out, "checkpoints", "last.safetensors"));
    const bias = [...biasOfFrequencies(await classPixels(photos), null)];
    expect([...values.get("head/bias")!.data]).toEqual(
      bias.map((value) => expect.closeTo(value, 5) as number),
    );

    // A head that a file has stays as it is.
    const weights = join(folder, "zero.safetensors");
    const zero = { shape: [bias.length], data: new Float32Array(bias.length) };
    await writeSafetensors(weights, new Map([...values, ["head/bias", zero]]), {});
    await runWith({ ...said, weights, out: join(folder, "other") });
    const other = await readCheckpoint(join(folder, "other", "checkpoints", "last.safetensors"));
    expect(Math.max(...other.values.get("head/bias")!.data.map(Math.abs))).toBeLessThan(1e-3);
  });

  it("keeps the epoch that is best by what is monitored, waits for a better one, and says so", async () => {
    // At such a rate the epoch with the lowest loss is not the one with the highest accuracy.
    const said = { monitor: "val_loss", patience: 1, learningRate: 0.5, epochsFrozen: 6 };
    const summary = (await runWith(said)) as Summary;
    const rows = await readHistory(join(folder, "run", "history.csv"));
    const worse = rows.findIndex(({ valLoss }, i) => i > 0 && valLoss >= rows[i - 1].valLoss);
    expect(rows).toHaveLength(worse < 0 ? 6 : worse + 1);
    const lowest = rows.reduce((best, row) => (row.valLoss < best.valLoss ? row : best));
    expect(summary).toMatchObject({ monitor: "val_loss", best_epoch: lowest.epoch });
    // The history has seven digits.
    expect(summary.best_value! / lowest.valLoss).toBeCloseTo(1, 5);
    expect(summary.best_val_accuracy).toBeCloseTo(lowest.valAccuracy, 6);
    expect(summary.val_dice).toBeCloseTo(rows.at(-1)!.valDice!, 6);
    expect(summary.val_fw_iou).toBeCloseTo(rows.at(-1)!.valFwIou!, 6);
    const { state } = await readCheckpoint(join(folder, "run", "checkpoints", "best.safetensors"));
    expect(state.epoch).toBe(lowest.epoch);
    expect(sentences).toContain(
      "The best epoch is that with the lowest val_loss, and --patience goes by it.",
    );
  });

  it("closes those that were made when one cannot be", async () => {
    let closed = 0;
    const first: RunObserver = { close: () => void closed++ };
    const error = await run(first, new Error("There is no second one."));
    expect((error as Error).message).toBe("There is no second one. No checkpoint had been written yet.");
    expect(closed).toBe(1);
  });

  it("names the last checkpoint, which is whole, when the device is lost", async () => {
    let closed = false;
    const error = await run({
      epoch: ({ epoch }) => {
        if (epoch === 2) gpu.device.destroy();
      },
      close: () => void (closed = true),
    });
    expect(error).toBeInstanceOf(RunError);
    const last = join(folder, "run", "checkpoints", "last.safetensors");
    expect((error as Error).message).toContain(
      `The last checkpoint, ${last} of epoch 2, is whole: go on from it with --resume ${join(folder, "run")}.`,
    );
    expect((await readCheckpoint(last)).state).toMatchObject({ epoch: 2, globalStep: 2 });
    expect(closed).toBe(true);
  });

  it("names it too when a file can no longer be written", async () => {
    const history = join(folder, "run", "history.csv");
    const error = await run({
      epoch: async ({ epoch }) => {
        if (epoch !== 1) return;
        await rm(history);
        await mkdir(history);
      },
    });
    expect((error as Error).message).toMatch(/history\.csv.*The last checkpoint, .* of epoch 2, is whole/);
  });
});
