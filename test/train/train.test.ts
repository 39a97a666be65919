import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { resolveConfig } from "../../src/config/index.ts";
import type { RunObserver } from "../../src/runs/observer.ts";
import { RunError } from "../../src/runs/run-error.ts";
import { train } from "../../src/train/train.ts";

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

  /** A run of three epochs of a step, followed by `observer`. */
  async function run(observer: RunObserver): Promise<unknown> {
    const said = {
      ...{ imageSize: 32, batchSize: 2, epochsFrozen: 3, epochsFinetune: 0, stepsPerEpoch: 1 },
      ...{ validationPhotos: 2, tensorboard: false, out: join(folder, "run") },
    };
    const config = resolveConfig([{ file: null, said }], "lavapipe");
    return train({ config, gpu, say: () => {}, observers: [() => observer] }).catch(
      (error: unknown) => error,
    );
  }

  it("tells its observers of everything, in order", async () => {
    const heard: string[] = [];
    await run({
      start: ({ epochs, stepsPerEpoch }) => void heard.push(`start ${epochs}×${stepsPerEpoch}`),
      phase: (phase, { summary }) => void heard.push(`phase ${phase} ${summary.dispatches > 100}`),
      step: ({ globalStep }) => heard.push(`step ${globalStep}`),
      epoch: ({ epoch, predictions }) =>
        void heard.push(`epoch ${epoch} ${predictions.subarray(1, 4).toString()}`),
      end: ({ steps }) => void heard.push(`end ${steps}`),
      close: () => void heard.push("close"),
    });
    const epochs = [1, 2, 3].flatMap((number) => [`step ${number}`, `epoch ${number} PNG`]);
    expect(heard).toEqual(["start 3×1", "phase frozen true", ...epochs, "end 3", "close"]);
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
