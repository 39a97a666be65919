import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { resolveConfig } from "../../../src/config/index.ts";
import type { Said, TrainConfig } from "../../../src/config/index.ts";
import { RunFolder } from "../../../src/runs/run-folder.ts";
import type { Summary } from "../../../src/runs/summary.ts";
import { dryRun } from "../../../src/train/forecast/dry-run.ts";
import { learningRateAt } from "../../../src/train/phase/learning-rate.ts";
import { resumedConfig } from "../../../src/train/resume.ts";
import { train } from "../../../src/train/train.ts";
import { readSafetensors } from "../../../src/weights/safetensors-file.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { useGpu } from "../../helpers/gpu.ts";

vi.mock(import("../../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../../helpers/small-network.ts")).smallUnet(importOriginal),
);
vi.mock(import("../../../src/runs/figures/render-svg.ts"), () => import("../../helpers/white-figures.ts"));

describe("a run with a budget", () => {
  const gpu = useGpu();
  const inFolder = temporaryFolder();

  interface Ran {
    readonly summary: Summary;
    readonly sentences: readonly string[];
    readonly rates: readonly number[];
  }

  async function carryOut(config: TrainConfig, resume?: RunFolder): Promise<Ran> {
    const sentences: string[] = [];
    const rates: number[] = [];
    const say = (sentence: string): void => void sentences.push(sentence);
    const follow = { step: ({ learningRate }: { learningRate: number }) => void rates.push(learningRate) };
    const job = { config, gpu: gpu(), say, resume, observers: [() => follow] };
    return { summary: await train(job), sentences, rates };
  }

  const configOf = (said: Said): TrainConfig => {
    const settings = {
      ...{ imageSize: 32, batchSize: 2, epochsFrozen: 1, epochsFinetune: 1, validationPhotos: 2 },
      ...{ schedule: "one-cycle", cacheFeatures: true, tensorboard: false, seed: 5 },
    };
    return resolveConfig([{ file: null, said: { ...settings, ...said } }], "lavapipe");
  };
  const begin = (name: string, said: Said): Promise<Ran> =>
    carryOut(configOf({ out: inFolder(name), ...said }));
  const written = async (name: string): Promise<TrainConfig> =>
    JSON.parse(await readFile(join(inFolder(name), "config.json"), "utf8")) as TrainConfig;
  const bits = async (name: string) => {
    const { tensors } = await readSafetensors(join(inFolder(name), "checkpoints", "last.safetensors"));
    return new Map([...tensors].map(([tensor, { data }]) => [tensor, new Uint32Array(data.slice().buffer)]));
  };

  it("makes the steps it chose, to the end of the schedule, and is the run with as many, taken up or not", async () => {
    const { summary, sentences, rates } = await begin("chosen", { budget: 4 });
    const { stepsPerEpoch, budget } = await written("chosen");
    expect(budget).toBe(4);
    const repeat = new RegExp(
      `^A step takes [\\d.e-]+ s \\(encoder frozen\\) and [\\d.e-]+ s \\(fine-tuning\\) and .*\\(--steps-per-epoch ${stepsPerEpoch} makes`,
    );
    expect(sentences).toContainEqual(expect.stringMatching(repeat));
    expect(summary).toMatchObject({ steps: 2 * stepsPerEpoch!, epochs: 2, ending: "finished" });
    const { finetuneLearningRate: base } = configOf({});
    const phase = { base, schedule: "one-cycle", warmupSteps: 0, steps: stepsPerEpoch! } as const;
    expect(rates.at(-1)).toBe(learningRateAt(stepsPerEpoch! - 1, phase));

    await begin("said", { stepsPerEpoch });
    expect(await bits("said")).toEqual(await bits("chosen"));

    // Its file alone says the same run, whatever the adapter is like by now.
    const file = { file: "config.json", said: await written("chosen") };
    const flags = { file: null, said: { out: inFolder("stopped"), maxSteps: 1 } };
    const again = await carryOut(resolveConfig([file, flags], "lavapipe"));
    expect(again.sentences).toContain(
      `For a budget of 0:04 ${stepsPerEpoch} steps an epoch were chosen before, and are taken as they are.`,
    );
    const run = await RunFolder.open(inFolder("stopped"));
    const resumed = await carryOut(await resumedConfig(run, {}), run);
    expect(resumed.sentences.join("\n")).not.toMatch(/A step takes|For a budget/);
    expect(await written("stopped")).toMatchObject({ stepsPerEpoch, budget: 4 });
    expect(await bits("stopped")).toEqual(await bits("chosen"));
  });

  it("is told of by a dry run, and makes one step an epoch where no more fit", async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    await dryRun({ config: configOf({ budget: 0.001 }), gpu: gpu(), say });
    const output = lines.join("\n");
    expect(output).toMatch(
      /: even 1 step an epoch takes about \d+:\d\d in all, longer than --budget allows \(--steps-per-epoch 1 /,
    );
    expect(output).toMatch(/steps +1 an epoch, 1 in all/);
    expect(output).toMatch(/whole run +about \d+:\d\d on /);
  });
});
