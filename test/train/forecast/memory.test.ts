import { describe, expect, it } from "vitest";
import { randomFlipLeftRight } from "../../../src/data/augment.ts";
import { GpuError } from "../../../src/gpu/errors.ts";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { plan } from "../../../src/graph/plan.ts";
import { tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { TileFor } from "../../../src/kernels/tiling.ts";
import { ConfigError } from "../../../src/config/index.ts";
import { featureBytes } from "../../../src/train/phase/features.ts";
import { encoderSpec } from "../../../src/train/phase/frozen-encoder.ts";
import { denseNet } from "../../../src/layers/networks/densenet.ts";
import { machineMemory } from "../../../src/train/forecast/machine-memory.ts";
import { plannedBytes, refuseLargeBatch, withGpuAdvice } from "../../../src/train/forecast/memory.ts";
import { encoder, evaluator, trainingStep } from "../../../src/train/phase/programs.ts";
import type { TrainerOptions } from "../../../src/train/trainer-options.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";

/** As wide as DenseNet121, in few layers: dozens of networks are planned here. */
const shallow = denseNet({ name: "densenet121", title: "DenseNet121", blocks: [2, 2, 2, 2], growth: 32 });

const options: TrainerOptions = {
  encoder: shallow,
  ...{
    imageSize: 128,
    batchSize: 24,
    classes: 59,
    decoder: "transpose",
    normalization: "unit",
    momentum: 0.9,
  },
  ...{ optimizer: "rmsprop", clipNorm: null, weighted: false, accumulate: 1 },
  epochs: { frozen: 1, finetune: 1 },
  learningRate: { frozen: 1e-3, finetune: 1e-4 },
  ...{
    schedule: "constant",
    warmupSteps: 0,
    stepsPerEpoch: 3,
    monitor: "val_accuracy",
    patience: null,
    maxSteps: null,
    time: null,
  },
  ...{ augment: randomFlipLeftRight, shuffleBuffer: null, dropRemainder: true, seed: 0, weights: null },
};
const PHOTOS = 64;
const bytes = (some: Partial<TrainerOptions> = {}): number =>
  plannedBytes({ ...options, ...some }, paperTarget, PHOTOS);

describe("the memory of a run", () => {
  it("is that of the larger phase, and of the smaller batch where there is one", () => {
    expect(bytes()).toBe(bytes({ epochs: { frozen: 0, finetune: 1 } }));
    expect(bytes({ epochs: { frozen: 1, finetune: 0 } })).toBeLessThan(bytes());
    // The third batch of a pass has 16 photos.
    expect(bytes({ dropRemainder: false })).toBeGreaterThan(1.2 * bytes());
    expect(bytes({ dropRemainder: false, maxSteps: 2 })).toBe(bytes());
    // Micro-batches of 8 fill both batches.
    expect(bytes({ dropRemainder: false, accumulate: 3 })).toBe(bytes({ accumulate: 3 }));
    expect(bytes({ accumulate: 3 })).toBeLessThan(0.75 * bytes());
  });

  it("is that of what the first phase trains", () => {
    const first = (freeze: TrainerOptions["freeze"]): number =>
      bytes({ freeze, epochs: { frozen: 1, finetune: 0 } });
    expect(first("decoder")).toBeLessThan(0.9 * first("encoder"));
    expect(first("none")).toBe(bytes());
    // None are cached.
    const cached: Partial<TrainerOptions> = { freeze: "none", cacheFeatures: true };
    expect(bytes({ ...cached, epochs: { frozen: 1, finetune: 0 } })).toBe(bytes());
  });

  it("is that of the programs that run when features are cached", () => {
    const cached = { ...options, epochs: { frozen: 1, finetune: 0 }, cacheFeatures: true };
    const programs = [
      evaluator(options),
      evaluator(options, "skips"),
      encoder(encoderSpec(options, paperTarget)),
      trainingStep(cached, "frozen"),
    ].map((goals) => plan(goals, paperTarget).summary);
    const [whole, decoder, , step] = programs;
    for (const { inputBytes } of [decoder, step])
      expect(inputBytes).toBeGreaterThan(24 * featureBytes(options));
    const held = programs.reduce((sum, { arenaBytes, inputBytes }) => sum + arenaBytes + inputBytes, 0);
    // The optimizer's slots are the step's alone.
    const variables = whole.variableBytes + step.variableBytes - decoder.variableBytes;
    expect(bytes(cached)).toBe(held + variables);
    // Of so shallow a network that phase is the larger one, and fine-tuning without.
    expect(bytes({ cacheFeatures: true })).toBe(bytes(cached));
    expect(bytes()).toBeLessThan(bytes(cached));
  });
});

describe("refuseLargeBatch", () => {
  const gpu = useGpu();

  it("lets pass what fits into this machine's memory, and on a GPU what it can allocate", async () => {
    expect(machineMemory()).toBeGreaterThan(2 ** 28);
    const before = gpu().bytes;
    const small = { ...options, imageSize: 32, batchSize: 2 };
    await refuseLargeBatch(gpu(), small, PHOTOS);
    await refuseLargeBatch(gpu(), small, PHOTOS, null);
    expect(gpu().bytes).toBe(before);
  });

  it("says what is needed, what there is, and both ways out", async () => {
    const available = bytes({ batchSize: 10 });
    const error = await refuseLargeBatch(gpu(), options, PHOTOS, available).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigError);
    const { message } = error as ConfigError;
    expect(message).toMatch(
      /^A batch of 24 photos at 128×128 does not fit: training needs [\d.]+ [MG]iB and this machine has \d+ MiB free: the largest batch that fits is --batch-size \d+, or keep --batch-size 24 with --accumulate \d+, which takes \d+ at a time\.$/,
    );
    const [largest, , parts, together] = /size (\d+), .*size (\d+) .*accumulate (\d+), which takes (\d+)/
      .exec(message)!
      .slice(1)
      .map(Number);
    expect(Math.abs(largest - 10)).toBeLessThanOrEqual(1);
    expect(parts * together).toBe(24);
    await refuseLargeBatch(gpu(), { ...options, batchSize: largest }, PHOTOS, available);
    await refuseLargeBatch(gpu(), { ...options, accumulate: parts }, PHOTOS, available);
    await expect(
      refuseLargeBatch(gpu(), { ...options, batchSize: largest + 1 }, PHOTOS, available),
    ).rejects.toThrow("does not fit");
  });

  it("reckons with the tiles that the run will have", async () => {
    const target = kernelTarget(gpu());
    const small = { ...options, imageSize: 32, batchSize: 8, epochs: { frozen: 0, finetune: 1 } };
    // Those that sum in the most parts.
    const tileFor: TileFor = (request) => tileCandidates(target, request).at(-1);
    const usual = plannedBytes(small, target, PHOTOS);
    const tiled = plannedBytes(small, kernelTarget(gpu(), tileFor), PHOTOS);
    expect(tiled).toBeGreaterThan(usual);
    await refuseLargeBatch(gpu(), small, PHOTOS, usual);
    await refuseLargeBatch(gpu(), { ...small, tileFor }, PHOTOS, tiled);
    await expect(refuseLargeBatch(gpu(), { ...small, tileFor }, PHOTOS, tiled - 1)).rejects.toThrow(
      "does not fit",
    );
  });

  it("says that not even one photo fits", async () => {
    await expect(refuseLargeBatch(gpu(), { ...options, batchSize: 3 }, PHOTOS, 2 ** 20)).rejects.toThrow(
      /has 1 MiB free, and no single photo would fit: use a smaller --image-size\.$/,
    );
  });

  it("finds what fits on a GPU that allows larger buffers than it can allocate", async () => {
    const small = { ...options, imageSize: 32, batchSize: 8, epochs: { frozen: 1, finetune: 0 } };
    const free = plannedBytes({ ...small, batchSize: 5 }, kernelTarget(gpu()), PHOTOS);
    const full: Gpu["scoped"] = (what, work) => {
      const before = gpu().bytes;
      const result = work();
      if (gpu().bytes - before <= free) return Promise.resolve(result as Awaited<typeof result>);
      return Promise.reject(new GpuError("out-of-memory", `${what}: no memory.`));
    };
    const lying = new Proxy(gpu(), {
      get(own, name) {
        if (name === "scoped") return full;
        const value: unknown = Reflect.get(own, name, own);
        return typeof value === "function" ? (value.bind(own) as unknown) : value;
      },
    });
    const before = gpu().bytes;
    await expect(refuseLargeBatch(lying, small, PHOTOS, null)).rejects.toThrow(
      /training needs [\d.]+ [MG]iB, more than .+ has free: the largest batch that fits is --batch-size 5\b/,
    );
    expect(gpu().bytes).toBe(before);
  });

  it("tells a plan that the adapter's limits forbid", async () => {
    const { limits, info, features, isSoftware } = gpu();
    const { minStorageBufferOffsetAlignment, maxComputeWorkgroupsPerDimension } = limits;
    // The logits of eleven photos are larger; the decoder's kernels are not.
    const most = { maxStorageBufferBindingSize: 40 * 2 ** 20, maxBufferSize: 40 * 2 ** 20 };
    const lesser = {
      ...{ info, features, isSoftware, adapterName: "A small GPU" },
      limits: { ...most, minStorageBufferOffsetAlignment, maxComputeWorkgroupsPerDimension },
    } as unknown as Gpu;
    await expect(refuseLargeBatch(lesser, options, PHOTOS, Infinity)).rejects.toThrow(
      /does not fit: it needs a buffer of 89 MiB and A small GPU allows 40 MiB: the largest batch that fits is --batch-size 10,/,
    );
    await expect(
      refuseLargeBatch(lesser, { ...options, imageSize: 512, batchSize: 1 }, PHOTOS, Infinity),
    ).rejects.toThrow(
      /^A batch of 1 photo at 512×512 does not fit .*the adapter's limit\), and no single photo/,
    );
  });
});

describe("withGpuAdvice", () => {
  it("tells what to do when the memory is gone all the same, or the device", () => {
    const error = withGpuAdvice(new GpuError("out-of-memory", "Setting up a program: no memory.\n - at x"));
    expect((error as Error).message).toBe(
      "Setting up a program: no memory: use a smaller --batch-size, or --accumulate to take it in parts.",
    );
    const lost = withGpuAdvice(new GpuError("lost", "The GPU device was lost (unknown): hung.\n - at x"));
    expect((lost as Error).message).toBe(
      "The GPU device was lost (unknown): hung: its driver was reset or updated, or the system took a long piece of work " +
        "for a hang. If it happens again, use a smaller --batch-size, or --accumulate to take it in parts.",
    );
    const other = new GpuError("validation", "No.");
    expect(withGpuAdvice(other)).toBe(other);
  });
});
