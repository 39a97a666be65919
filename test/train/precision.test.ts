import { describe, expect, it, vi } from "vitest";
import { noAugmentation } from "../../src/data/augment.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { plan } from "../../src/graph/plan.ts";
import { refuseUnknownPrecision } from "../../src/train/precision.ts";
import { encoder, evaluator, trainingStep } from "../../src/train/phase/programs.ts";
import { PHASES } from "../../src/runs/phase.ts";
import type { StepSpec } from "../../src/train/phase/programs.ts";
import { planStep } from "../../src/train/forecast/step-plan.ts";
import { Trainer } from "../../src/train/trainer.ts";
import type { Resumed } from "../../src/train/trainer-data.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const spec: StepSpec = {
  ...{ batchSize: 8, imageSize: 64, classes: 59, momentum: 0.9, precision: "f16" },
  ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
};

describe("half precision", () => {
  it("stores activations in f16 from the photo to the logits; variables, their gradients, sums and loss in f32", () => {
    const { graph, logits, outputs, slopes } = (({ graph, logits, outputs }) => ({
      ...{ graph, logits, outputs },
      slopes: [...graph.variables.values()],
    }))(trainingStep(spec, "finetune"));
    expect(logits.dtype).toBe("f16");
    expect(outputs.loss.dtype).toBe("f32");
    expect(new Set(slopes.map(({ dtype }) => dtype))).toEqual(new Set(["f32"]));
    const images = graph.nodes
      .flatMap(({ op, outputs }) => outputs.map((tensor) => ({ op: op.name, tensor })))
      .filter(({ tensor }) => tensor.shape.length === 4 && tensor.shape[0] === spec.batchSize);
    const full = images.filter(({ tensor }) => tensor.dtype === "f32").map(({ op }) => op);
    expect(full).toEqual([]);
  });

  it.each(PHASES)("takes less than three quarters of the memory: %s", (phase) => {
    const arena = (precision: StepSpec["precision"]): number =>
      planStep({ ...spec, batchSize: 32, precision }, phase, paperTarget).summary.arenaBytes;
    // The gradients of the parameters, in f32 either way, are a third of it at this size, and a stack's is one tensor: its
    // block is larger than any that activations in f16 would need.
    expect(arena("f16") / arena("f32")).toBeLessThan(0.72);
  });

  it("evaluates so too, and hands on what a frozen encoder makes in f32", () => {
    const { loss } = evaluator(spec).outputs;
    expect(loss.dtype).toBe("f32");
    expect(new Set(Object.values(encoder(spec).outputs).map(({ dtype }) => dtype))).toEqual(new Set(["f32"]));
    const { inputs } = plan(trainingStep({ ...spec, cacheFeatures: true }, "frozen"), paperTarget);
    expect(new Set(inputs.map(({ dtype }) => dtype))).toEqual(new Set(["f32", "u32"]));
  });

  it("is refused where the adapter has no such numbers", () => {
    const gpu = { features: new Set<string>(), adapterName: "SwiftShader" };
    expect(() => refuseUnknownPrecision(gpu, { precision: "f32" })).not.toThrow();
    expect(() => refuseUnknownPrecision(gpu, { precision: "f16" })).toThrow(
      "--precision f16: SwiftShader has no half-precision numbers (the WebGPU feature shader-f16): choose an " +
        "adapter that has, with --adapter (`npm run doctor` lists them), or take --precision f32.",
    );
    gpu.features.add("shader-f16");
    expect(() => refuseUnknownPrecision(gpu, { precision: "f16" })).not.toThrow();
  });
});

describe("a run in half precision", () => {
  const gpu = useGpu();
  const options: TrainerOptions = {
    ...spec,
    ...{ imageSize: 32, batchSize: 4, accumulate: 2, decoder: "transpose", clipNorm: 1 },
    ...{ epochs: { frozen: 1, finetune: 1 }, stepsPerEpoch: 3 },
    ...{ learningRate: { frozen: 1e-3, finetune: 1e-4 }, schedule: "constant", warmupSteps: 0 },
    ...{ augment: noAugmentation, shuffleBuffer: null, dropRemainder: true, normalization: "unit" },
    ...{ monitor: "val_accuracy", patience: null, maxSteps: null, time: null, seed: 3, weights: null },
  };
  const data = {
    training: new GeneratedDataset({ size: 8, imageSize: 32 }),
    validation: new GeneratedDataset({ size: 4, imageSize: 32, seed: 9 }),
    classWeights: null,
  };

  async function run(some: Partial<TrainerOptions>, resumed?: Resumed) {
    const trainer = await Trainer.create(gpu(), { ...options, ...some }, resumed);
    const losses: number[] = [];
    let kept: Resumed | undefined;
    try {
      await trainer.run(data, {
        step: ({ loss }) => void losses.push(loss),
        checkpoint: async (state) =>
          void (kept = { state, values: [...(await trainer.variables.readAll())] }),
      });
      return { losses, kept: kept! };
    } finally {
      trainer.destroy();
    }
  }

  it("learns, keeps its loss scale in a checkpoint, and ends with the same bits when it is taken up", async ({
    skip,
  }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const whole = await run({});
    expect(whole.losses).toHaveLength(6);
    expect(whole.losses[2]).toBeLessThan(whole.losses[0]);

    const first = await run({ maxSteps: 2 });
    const values = new Map(first.kept.values);
    expect(values.get("loss_scale_frozen/good_steps")!.data).toEqual(Float32Array.of(2));
    expect(values.get("loss_scale_frozen/scale")!.data).toEqual(Float32Array.of(2 ** 15));
    const rest = await run({}, first.kept);
    expect([...first.losses, ...rest.losses]).toEqual(whole.losses);
    const names = [...new Map(rest.kept.values).keys()];
    expect(names.filter((name) => name.includes("loss_scale"))).toEqual([
      "loss_scale_finetune/scale",
      "loss_scale_finetune/good_steps",
    ]);
    for (const [name, { data: numbers }] of rest.kept.values) {
      const expected = new Map(whole.kept.values).get(name)!.data;
      if (Buffer.compare(Buffer.from(numbers.buffer), Buffer.from(expected.buffer)) !== 0) {
        expect.fail(`"${name}" is another one after resuming.`);
      }
    }
  });
});
