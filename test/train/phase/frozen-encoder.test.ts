import { afterEach, describe, expect, it, vi } from "vitest";
import { assembleBatch } from "../../../src/data/batch.ts";
import { GeneratedDataset } from "../../../src/data/generated-dataset.ts";
import { Program } from "../../../src/graph/program.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { featureBytes } from "../../../src/train/phase/features.ts";
import { encoderSpec, FrozenEncoder } from "../../../src/train/phase/frozen-encoder.ts";
import type { StepSpec } from "../../../src/train/phase/programs.ts";
import { useGpu } from "../../helpers/gpu.ts";

vi.mock(import("../../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../../helpers/small-network.ts")).smallUnet(importOriginal),
);

const spec: StepSpec = {
  ...{ batchSize: 4, imageSize: 32, classes: 59, momentum: 0.9 },
  ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
};
const dataset = new GeneratedDataset({ size: 6, imageSize: 32 });
const batchOf = (...indices: number[]) => assembleBatch(dataset, indices);

describe("encoderSpec", () => {
  it("takes few photos at once, no more than a micro-batch, and on a CPU one that is large enough", () => {
    const photos = (family: "workgroup" | "register", some: Partial<StepSpec>): number =>
      encoderSpec({ ...spec, ...some }, { family }).batchSize;
    expect(photos("workgroup", { batchSize: 64 })).toBe(8);
    expect(photos("workgroup", { batchSize: 64, accumulate: 16 })).toBe(4);
    expect(photos("register", { batchSize: 64 })).toBe(4);
    expect(photos("register", { batchSize: 64, imageSize: 64 })).toBe(1);
    expect(photos("register", { batchSize: 64, imageSize: 128 })).toBe(1);
  });
});

describe("FrozenEncoder", () => {
  const gpu = useGpu();
  const batchSize = (): number => (gpu().isSoftware ? 4 : Math.min(8, spec.batchSize));
  afterEach(() => vi.restoreAllMocks());

  it("encodes each distinct photo once, to the same bits whatever is beside it", async () => {
    const before = gpu().bytes;
    const variables = new Variables(gpu(), { seed: 1 });
    const [cached, fresh] = [
      await FrozenEncoder.create(gpu(), variables, spec),
      await FrozenEncoder.create(gpu(), variables, spec, 0),
    ];
    const runs = vi.spyOn(Program.prototype, "run");
    const first = await cached.features(await batchOf(0, 1, 2, 3, 4, 0), ["0", "1", "2", "3", "4", "0"]);
    expect(runs).toHaveBeenCalledTimes(Math.ceil(5 / batchSize()));
    expect(first[5]).toBe(first[0]);
    expect(first[1]).not.toEqual(first[0]);

    runs.mockClear();
    const second = await cached.features(await batchOf(4, 2), ["4", "2"]);
    expect(runs).not.toHaveBeenCalled();
    expect(second).toEqual([first[4], first[2]]);
    // Alone in the program's batch, and at another place of it.
    expect(await fresh.features(await batchOf(4), ["4"])).toEqual([first[4]]);
    expect((await fresh.features(await batchOf(1, 4), ["1", "4"]))[1]).toEqual(first[4]);
    // A flip is another photo.
    runs.mockClear();
    await cached.features(await batchOf(4), ["4 flip_left_right"]);
    expect(runs).toHaveBeenCalledTimes(1);
    for (const thing of [cached, fresh, variables]) thing.destroy();
    expect(gpu().bytes).toBe(before);
  });

  it("encodes again what it had no room for, or cannot tell from others", async () => {
    const variables = new Variables(gpu(), { seed: 1 });
    const encoder = await FrozenEncoder.create(gpu(), variables, spec, featureBytes({ imageSize: 32 }));
    const runs = vi.spyOn(Program.prototype, "run");
    const encodings = async (index: number, identity: string | null): Promise<number> => {
      runs.mockClear();
      await encoder.features(await batchOf(index), [identity]);
      return runs.mock.calls.length;
    };
    expect(await encodings(2, null)).toBe(1);
    expect(await encodings(2, null)).toBe(1);
    expect(await encodings(0, "0")).toBe(1);
    expect(await encodings(1, "1")).toBe(1);
    expect(await encodings(1, "1")).toBe(1);
    expect(await encodings(0, "0")).toBe(0);
    for (const thing of [encoder, variables]) thing.destroy();
  });
});
