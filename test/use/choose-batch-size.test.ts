import { describe, expect, it, vi } from "vitest";
import { batchSizeText, chooseBatchSize, searchBatchSize } from "../../src/use/choose-batch-size.ts";
import { loadModel } from "../../src/use/model.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { saveTinyModel } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

/** What a search makes of rates by batch size; what is not there does not fit. */
async function found(
  rates: Record<number, number>,
  { first = 4, most = 64, seconds = 1000 } = {},
): Promise<{ tried: number[]; chosen: number | undefined }> {
  const tried: number[] = [];
  const measured = await searchBatchSize({
    ...{ first, most, seconds },
    measure: (batchSize) => {
      tried.push(batchSize);
      return Promise.resolve(rates[batchSize] ?? null);
    },
  });
  return { tried, chosen: measured.at(-1)?.batchSize };
}

describe("searchBatchSize", () => {
  it("goes on while a size is worth it, and takes the last that was", async () => {
    expect(await found({ 4: 10, 8: 15, 16: 18, 32: 18.5, 64: 40 })).toEqual({
      ...{ tried: [4, 8, 16, 32], chosen: 16 },
    });
    expect(await found({ 4: 10, 8: 9 })).toEqual({ tried: [4, 8], chosen: 4 });
    expect(await found({ 4: 1, 8: 2, 16: 3, 32: 4, 64: 5 })).toEqual({
      ...{ tried: [4, 8, 16, 32, 64], chosen: 64 },
    });
  });

  it("ends at what fits into memory, from above and from below", async () => {
    expect(await found({ 4: 10, 8: 20 })).toEqual({ tried: [4, 8, 16], chosen: 8 });
    expect(await found({ 1: 5, 2: 8 })).toEqual({ tried: [4, 2], chosen: 2 });
    expect(await found({})).toEqual({ tried: [4, 2, 1], chosen: undefined });
  });

  it("takes no more than there are, and no more time than it has", async () => {
    expect(await found({ 3: 10 }, { most: 3 })).toEqual({ tried: [3], chosen: 3 });
    expect(await found({ 4: 10, 6: 20 }, { most: 6 })).toEqual({ tried: [4, 6], chosen: 6 });
    expect(await found({ 4: 10, 8: 20 }, { seconds: 0 })).toEqual({ tried: [4], chosen: 4 });
  });
});

describe("chooseBatchSize", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();

  it("measures the network itself, within the memory it may take", async () => {
    const file = temporary("model.safetensors");
    await saveTinyModel(gpu(), file);
    const model = await loadModel(file);
    const of = (options: { most?: number; mostBytes?: number }): ReturnType<typeof chooseBatchSize> =>
      chooseBatchSize(gpu(), model, { size: model.imageSize, precision: "f32", ...options });
    const rates = await of({ most: 2 });
    expect(rates.map(({ batchSize }) => batchSize)).toEqual([2]);
    expect(rates[0].imagesPerSecond).toBeGreaterThan(0);
    expect(batchSizeText(rates)).toMatch(/^2, the fastest of what was tried \(2: [\d.]+ images\/s\)$/);
    await expect(of({ mostBytes: 1000 })).rejects.toThrow(/^Not even one image fits into the memory of /);
  });
});
