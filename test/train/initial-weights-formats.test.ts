import { expect, it } from "vitest";
import { checkInitialWeights } from "../../src/train/initial-weights.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { loadModel } from "../../src/use/model.ts";
import { writeModel } from "../../src/weights/write.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { paperTarget } from "../helpers/target.ts";
import { randomUnet } from "../weights/random-network.ts";

const inFolder = temporaryFolder();

it.each([
  ["transpose", "tfjs"],
  ["nearest", "keras.h5"],
  ["bilinear", "bilinear.h5"],
] as const)(
  "a model of 150 classes keeps their names, and a run takes its encoder and decoder: %s, %s",
  async (decoder, name) => {
    const tensors = randomUnet(150, decoder);
    const path = inFolder(name);
    const names = Array.from(
      { length: 150 },
      (_, label) => `class of "things" № ${label}, ${"a".repeat(label)}`,
    );
    await writeModel(path, {
      tensors,
      metadata: { classes: JSON.stringify(names), image_size: "32", decoder },
    });
    expect(await loadModel(path)).toMatchObject({ classNames: names, decoder });
    const options: Partial<TrainerOptions> = {
      batchSize: 1,
      imageSize: 32,
      classes: 2,
      momentum: 0.9,
      decoder,
    };
    const { values, remark } = await checkInitialWeights(path, options as TrainerOptions, paperTarget);
    expect(remark).toBe(
      `${path} tells 150 classes apart and the data has 2: its encoder and decoder are taken, and the head starts anew.`,
    );
    const taken = [...tensors.keys()].filter((weight) => !weight.startsWith("head/"));
    expect([...values.keys()].sort()).toEqual(taken.sort());
    const last = decoder === "transpose" ? "upsample_4/conv2d_transpose/kernel" : "upsample_4/conv2d/kernel";
    const [found, given] = [values, tensors].map((weights) => Buffer.from(weights.get(last)!.data.buffer));
    expect(found.equals(given)).toBe(true);
  },
);
