import { describe, expect, it } from "vitest";
import type { Dispatch } from "../../../../src/graph/dispatch.ts";
import { plan } from "../../../../src/graph/plan.ts";
import { bytesBound } from "../../../../src/graph/print.ts";
import { trainingStep } from "../../../../src/train/phase/programs.ts";
import { BOUNDS } from "../../../../src/train/forecast/predict/bounds.ts";
import { CARD_NAMES, CARDS } from "../../../../src/train/forecast/predict/cards.ts";
import { describePrediction } from "../../../../src/train/forecast/predict/describe.ts";
import {
  ASSUMED_SHARE,
  boundKey,
  LAUNCH_SECONDS,
  predictDispatches,
  totalSeconds,
} from "../../../../src/train/forecast/predict/predict.ts";
import { bytesTouched } from "../../../../src/train/forecast/predict/traffic.ts";
import type { TrainerOptions } from "../../../../src/train/trainer-options.ts";

const options = {
  ...{ batchSize: 64, imageSize: 128, classes: 59, optimizer: "rmsprop", clipNorm: null, weighted: false },
  ...{ epochs: { frozen: 1, finetune: 1 } },
} as unknown as TrainerOptions;

const network = plan(trainingStep(options, "finetune"), CARDS.navi31.target).dispatches;

const find = (test: (dispatch: Dispatch) => boolean): Dispatch => network.find(test)!;

describe("bytes that a dispatch touches", () => {
  it("are what it binds where it is no product", () => {
    const pool = find(({ kernel }) => kernel.label === "max_pool2d_forward");
    expect(bytesTouched(pool)).toBe(bytesBound(pool));
  });

  it("are of a dense block's image only the channels that a product takes and makes", () => {
    // The 3×3 of the first block: 128 of the 768 channels of what the block's 1×1 convolutions make, 32 of its own 256.
    const conv = find(
      ({ kernel }) => kernel.tiling?.request.taps === 9 && kernel.tiling.request.columns === 32,
    );
    const pixels = 64 * 32 * 32;
    const [input, output] = [conv.bindings[0], conv.bindings.find(({ access }) => access === "read_write")!];
    expect([input.bytes, output.bytes]).toEqual([4 * pixels * 768, 4 * pixels * 256]);
    const others = bytesBound(conv) - input.bytes - output.bytes;
    expect(bytesTouched(conv)).toBe(4 * pixels * (128 + 32) + others);
  });

  it("are never more than what is bound", () => {
    for (const dispatch of network) {
      expect(bytesTouched(dispatch)).toBeGreaterThan(0);
      expect(bytesTouched(dispatch)).toBeLessThanOrEqual(bytesBound(dispatch));
    }
  });
});

describe("predicted times", () => {
  it("of a product are its operations at its share of the peak, and a launch", () => {
    const product = [...network].sort((a, b) => (b.kernel.flops ?? 0) - (a.kernel.flops ?? 0))[0];
    const { label, flops, tiling } = product.kernel;
    const share = BOUNDS.cards.navi31![boundKey(label, tiling!.request.family)];
    const [{ seconds, limit }] = predictDispatches([product], "navi31");
    expect(limit).toBe("arithmetic");
    expect(seconds).toBeCloseTo(flops! / (61.4e12 * share) + LAUNCH_SECONDS, 12);
    // Nobody has asked a compiler for this card.
    const [h100] = predictDispatches([product], "h100");
    expect(h100.seconds).toBeCloseTo(flops! / (66.9e12 * ASSUMED_SHARE.plain) + LAUNCH_SECONDS, 12);
  });

  it("of other kernels are their bytes at the memory's bandwidth", () => {
    const pool = find(({ kernel }) => kernel.label === "max_pool2d_forward");
    const [{ seconds, limit }] = predictDispatches([pool], "navi21");
    expect(limit).toBe("memory");
    expect(seconds).toBeCloseTo(bytesBound(pool) / 512e9 + LAUNCH_SECONDS, 12);
  });

  it("of small kernels are a launch above all", () => {
    const [small] = [...network].sort((a, b) => bytesBound(a) - bytesBound(b));
    expect(predictDispatches([small], "navi31")[0].limit).toBe("launch");
  });

  it("in half precision go by the peak of matrices where the card has them", () => {
    const half = { ...options, precision: "f16" as const };
    const times = CARD_NAMES.map((card) => {
      const { dispatches } = plan(trainingStep(half, "frozen"), CARDS[card].target);
      const families = new Set(dispatches.map(({ kernel }) => kernel.tiling?.request.family));
      expect([card, families.has("matrix")]).toEqual([card, CARDS[card].matrixTeraflops !== null]);
      return totalSeconds(predictDispatches(dispatches, card));
    });
    expect(times[0]).toBeLessThan(times[1]);
  });
});

describe("a prediction as it is printed", () => {
  const lines = describePrediction(options, "navi31");

  it("has a time beside each dispatch, and their sum for a step of each phase", () => {
    const tables = lines.filter((line) => line.includes("bound by")).map((table) => table.split("\n"));
    const sums = lines.flatMap((line) => /takes .* at best ([\d.]+) ms, /.exec(line)?.[1] ?? []);
    expect([tables.length, sums.length]).toEqual([2, 2]);
    expect(tables[1]).toHaveLength(network.length + 1);
    tables.forEach((table, i) => {
      const microseconds = table.slice(1).map((line) => Number(line.trim().split(/\s+/).at(-1)));
      const sum = microseconds.reduce((a, b) => a + b, 0) / 1e3;
      expect(sum / Number(sums[i])).toBeCloseTo(1, 2);
    });
  });

  it("says what it takes for granted", () => {
    const text = lines.join("\n");
    expect(text).toMatch(/61\.4 TFLOP\/s in f32, 122\.8 in matrices of f16; of products the share .* radv/);
    expect(text).toContain("960 GB/s of memory");
    expect(text).toContain("5 µs a launch");
    expect(describePrediction(options, "h100").join("\n")).toMatch(/about .* of products 50 % of it/s);
  });

  it("counts the micro-batches of a step", () => {
    const step = (accumulate: number): number => {
      const text = describePrediction(
        { ...options, accumulate, epochs: { frozen: 1, finetune: 0 } },
        "navi31",
      );
      return Number(/at best ([\d.]+) ms/.exec(text.join("\n"))![1]);
    };
    expect(step(4)).toBeGreaterThan(step(1));
    expect(step(4)).toBeLessThan(2 * step(1));
  });
});
