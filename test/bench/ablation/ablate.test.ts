import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ablate, describeAblation } from "../../../bench/ablation/ablate.ts";
import type { AblationJob, AblationRun } from "../../../bench/ablation/ablate.ts";
import { ROWS } from "../../../bench/ablation/rows.ts";
import { ablationTable, rowResults, spread } from "../../../bench/ablation/table.ts";
import { openGpu } from "../../../src/adapter/open-gpu.ts";
import { preset, resolveConfig } from "../../../src/config/index.ts";
import type { TrainConfig } from "../../../src/config/index.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";

vi.mock(import("../../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../../helpers/small-network.ts")).smallUnet(importOriginal),
);
vi.mock(import("../../../src/runs/figures/render-svg.ts"), () => import("../../helpers/white-figures.ts"));

describe("the rows", () => {
  it.each(["hardware", "lavapipe"] as const)("can be used with the recipe, and change it (%s)", (kind) => {
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
    const said = { preset: "quick", weights: "w.h5", epochsFinetune: 1, stepsPerEpoch: 9 };
    const recipe = resolveConfig([{ file: null, said }], kind);
    for (const { name, settings } of ROWS) {
      expect(name).toMatch(/^[a-z0-9-]+$/);
      const config = resolveConfig([{ file: null, said: { ...said, ...settings(recipe) } }], kind);
      expect([name, JSON.stringify(config) === JSON.stringify(recipe)]).toEqual([name, name === "recipe"]);
    }
  });
});

describe("ablate", () => {
  const inFolder = temporaryFolder();
  const said = {
    ...{ imageSize: 32, batchSize: 2, epochsFrozen: 1, epochsFinetune: 0, stepsPerEpoch: 2 },
    ...{ validationPhotos: 2 },
  };
  const job = (out: string, some: Partial<AblationJob> = {}): AblationJob => ({
    rows: ROWS.filter(({ name }) => ["recipe", "transpose"].includes(name)),
    ...{ seeds: [1], said, out: inFolder(out), open: () => openGpu(), say: () => {} },
    ...some,
  });
  /** Without what a clock says, and where the run is. */
  const figures = (runs: readonly AblationRun[]) =>
    runs.map(({ config, outcome, ...run }) => ({
      ...{ ...run, config: { ...config, out: null } },
      outcome: { ...outcome, seconds: 0 },
    }));

  it("makes every row with every seed, and goes on where it was stopped", async () => {
    // A run that was killed before it had written anything of use.
    await mkdir(join(inFolder("whole"), "recipe-1", "checkpoints"), { recursive: true });
    const whole = await ablate(job("whole"));
    expect(whole.map(({ row, config: { decoder, seed } }) => [row, decoder, seed])).toEqual([
      ["recipe", "nearest", 1],
      ["transpose", "transpose", 1],
    ]);
    expect(whole.every(({ outcome }) => outcome!.steps === 2 && outcome!.seconds > 0)).toBe(true);

    // Stopped amid the second run.
    const controller = new AbortController();
    let begun = 0;
    const stopping = job("stopped", {
      signal: controller.signal,
      observers: [
        () => ({
          start: () => void (begun += 1),
          step: () => void (begun === 2 && controller.abort(new Error("Stop."))),
        }),
      ],
    });
    await expect(ablate(stopping)).rejects.toThrow("Stop.");
    const summary = join(inFolder("stopped"), "recipe-1", "summary.json");
    const { mtimeMs } = await stat(summary);
    const said: string[] = [];
    const resumed = await ablate(job("stopped", { say: (sentence) => void said.push(sentence) }));
    expect(figures(resumed)).toEqual(figures(whole));
    expect((await stat(summary)).mtimeMs).toBe(mtimeMs);
    expect(said.join("\n")).not.toContain("1 of 2");
    expect(said).toContainEqual(expect.stringMatching(/^Taking up .*transpose-1 after step/));

    // There is nothing left to do, and another recipe is not taken for this one.
    const lines: string[] = [];
    await describeAblation(job("stopped", { say: (line) => void lines.push(line) }));
    expect(lines[0]).toBe("recipe, seed 1: nothing (done)");
    expect(lines.at(-1)).toBe("2 runs, 0 minutes for those that are still to be made.");
    await expect(ablate(job("stopped", { said: { ...job("").said, batchSize: 3 } }))).rejects.toThrow(
      /recipe-1 was made with batchSize 2, and now it is 3: give another --out, or remove that run\.$/,
    );
  });

  it("says how long it takes: the budget of each run that is to come", async () => {
    const lines: string[] = [];
    const { stepsPerEpoch, ...rest } = said;
    expect(stepsPerEpoch).toBe(2);
    const say = (line: string): void => void lines.push(line);
    await describeAblation(job("none", { said: { ...rest, budget: 360 }, seeds: [1, 2], say }));
    expect(lines.slice(0, 3).map((line) => line.split(":")[0])).toEqual([
      ...["recipe, seed 1", "transpose, seed 1", "recipe, seed 2"],
    ]);
    expect(lines.at(-1)).toBe("4 runs, 24 minutes for those that are still to be made.");
  });

  it("leaves out what the recipe has already", async () => {
    const lines: string[] = [];
    const rows = ROWS.filter(({ name }) => ["recipe", "unit", "frozen"].includes(name));
    const say = (line: string): void => void lines.push(line);
    await describeAblation(
      job("none", { rows, said: { ...said, stepsPerEpoch: undefined, budget: 60 }, say }),
    );
    expect(lines.map((line) => line.split(",")[0])).toEqual(["recipe", "unit", "2 runs"]);
  });

  it("leaves a folder that is not its own alone", async () => {
    const mine = join(inFolder("mine"), "recipe-1");
    await mkdir(mine, { recursive: true });
    await writeFile(join(mine, "notes.txt"), "mine");
    await expect(ablate(job("mine"))).rejects.toThrow(/is not empty/);
    expect(await readFile(join(mine, "notes.txt"), "utf8")).toBe("mine");
  });
});

describe("the table", () => {
  it("has a line a row: means and standard deviations over the seeds that came to their end", () => {
    const config: TrainConfig = preset("quick", "lavapipe", true);
    const run = (row: string, seed: number, accuracy: number | null): AblationRun => ({
      ...{ row, what: `what ${row} is`, seed, adapter: "a", config },
      outcome:
        accuracy === null ? null : { steps: 100, seconds: 60, val_accuracy: accuracy, val_mean_iou: 0.05 },
    });
    const runs = [
      run("a", 1, 0.8),
      run("b", 1, 0.5),
      run("a", 2, 0.82),
      run("b", 2, null),
      run("c", 1, null),
    ];
    expect(ablationTable(runs).split("\n").slice(2)).toEqual([
      "| a | what a is | 2 | 100 ± 0 | 60 ± 0 | 0.8100 ± 0.0141 | 0.0500 ± 0.0000 |",
      "| b | what b is | 2, 1 diverged | 100 | 60 | 0.5000 | 0.0500 |",
      "| c | what c is | 1, 1 diverged | – | – | – | – |",
    ]);
    expect(rowResults(runs)[0]).toMatchObject({ row: "a", seeds: 2, diverged: 0 });
    expect(spread([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3) });
  });
});
