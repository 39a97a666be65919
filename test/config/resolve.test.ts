import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { AUGMENTATION_SETS } from "../../src/data/augment.ts";
import { ConfigError, openBudget, readConfigFile, resolveConfig as resolve } from "../../src/config/index.ts";
import type { AdapterKind, Said, TrainConfig } from "../../src/config/index.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const resolveConfig = (said: Said, adapter: AdapterKind): TrainConfig =>
  resolve([{ file: null, said }], adapter);

describe("resolveConfig", () => {
  it("gives hardware the tutorial and a CPU adapter the quick preset of its size", () => {
    const article = resolveConfig({}, "hardware");
    expect(article).toMatchObject({ preset: "article", imageSize: 128, batchSize: 64, bnMomentum: null });
    expect(article).toMatchObject({
      epochsFrozen: 20,
      epochsFinetune: 20,
      stepsPerEpoch: null,
      learningRate: 1e-3,
    });
    expect(article.finetuneLearningRate).toBe(1e-3);
    expect(resolveConfig({}, "lavapipe")).toMatchObject({ preset: "quick", imageSize: 64 });
    expect(resolveConfig({}, "swiftshader")).toMatchObject({ preset: "quick", imageSize: 32 });
    expect(resolveConfig({ preset: "article" }, "swiftshader")).toMatchObject({
      imageSize: 128,
      batchSize: 64,
    });
  });

  it("does not freeze an encoder of random numbers for long", () => {
    const [scratch, pretrained] = [{}, { weights: "w.h5" }].map((flags) => resolveConfig(flags, "lavapipe"));
    expect(scratch.epochsFrozen).toBeLessThan(scratch.epochsFinetune);
    expect(scratch.finetuneLearningRate).toBe(scratch.learningRate);
    expect(pretrained.epochsFrozen).toBeGreaterThan(pretrained.epochsFinetune);
    expect(pretrained.finetuneLearningRate).toBeLessThan(pretrained.learningRate);
  });

  it("gives the quick preset six minutes of any adapter where there are pretrained weights", () => {
    for (const adapter of ["hardware", "lavapipe", "swiftshader"] as const) {
      const of = (said: Said): TrainConfig => resolveConfig({ preset: "quick", ...said }, adapter);
      expect(of({ weights: "w.h5" })).toMatchObject({ budget: 360, stepsPerEpoch: null });
      expect(of({ weights: "w.h5", stepsPerEpoch: 9 })).toMatchObject({ budget: null, stepsPerEpoch: 9 });
      expect(of({}).budget).toBeNull();
      expect(of({}).stepsPerEpoch).not.toBeNull();
    }
  });

  it("prepares photos as the encoder wants them, but for the tutorial's", () => {
    expect(resolveConfig({}, "lavapipe")).toMatchObject({
      encoder: "densenet121",
      normalization: "imagenet",
    });
    expect(resolveConfig({}, "hardware").normalization).toBe("unit");
    const other = resolveConfig({ encoder: "densenet169" }, "lavapipe");
    expect(other).toMatchObject({ encoder: "densenet169", normalization: "keras", imageSize: 64 });
    expect(resolveConfig({ encoder: "densenet169", normalization: "unit" }, "lavapipe").normalization).toBe(
      "unit",
    );
    expect(resolveConfig({ encoder: "inceptionv3" }, "lavapipe").imageSize).toBe(96);
    expect(() => resolveConfig({ encoder: "inceptionv3", imageSize: 64 }, "lavapipe")).toThrow(
      "--image-size must be at least 96, because InceptionV3 takes no smaller photos than 75×75 (it is 64).",
    );
    expect(() => resolveConfig({ encoder: "vgg16" }, "lavapipe")).toThrow(
      /^--encoder must be one of densenet121, densenet169, .* \(it is "vgg16"\)\.$/,
    );
  });

  it("leaves batch norms their own momentum but for short runs, and takes one for all", () => {
    expect(resolveConfig({ preset: "article", encoder: "nasnetmobile" }, "hardware").bnMomentum).toBeNull();
    expect(resolveConfig({ preset: "quick" }, "hardware").bnMomentum).toBe(0.9);
    expect(resolveConfig({ bnMomentum: 0.5 }, "hardware").bnMomentum).toBe(0.5);
    expect(resolveConfig({ preset: "quick", bnMomentum: null }, "hardware").bnMomentum).toBeNull();
    expect(() => resolveConfig({ bnMomentum: 1 }, "hardware")).toThrow(
      "--bn-momentum must be below 1 (it is 1).",
    );
  });

  it("refuses classes and labels to ignore that cannot be, each with one sentence", () => {
    const refused = (said: Said): string => {
      try {
        resolveConfig(said, "lavapipe");
      } catch (error) {
        return (error as ConfigError).message;
      }
      return "taken";
    };
    for (const classes of [1, 257, 2.5, ""]) {
      expect(refused({ classes })).toMatch(
        /^--classes must (be a whole number from 2 to 256 or a file of names|not be empty) /,
      );
    }
    for (const ignoreLabel of [-1, 70_000, "x"]) {
      expect(refused({ ignoreLabel })).toContain(
        "--ignore-label must be a whole number from 0 to 65535, or auto (it is",
      );
    }
    expect(resolveConfig({ classes: 256, ignoreLabel: null }, "lavapipe")).toMatchObject({
      classes: 256,
      ignoreLabel: null,
    });
    expect(resolveConfig({ classes: "names.txt", ignoreLabel: 0 }, "lavapipe")).toMatchObject({
      ignoreLabel: 0,
    });
  });

  it("takes each loss with what it has, and a file that holds the numbers of all", () => {
    for (const said of [
      { loss: "focal", focalGamma: 0, classWeights: "enet" },
      { loss: "tversky", tverskyAlpha: 0, tverskyBeta: 1 },
      { loss: "dice-cross-entropy", labelSmoothing: 0.1, classWeights: "weights.csv" },
    ])
      expect(resolveConfig(said, "lavapipe")).toMatchObject(said);
    const all = { focalGamma: 3, tverskyAlpha: 0.1, loss: "focal" };
    const flags = { file: null, said: { loss: "dice" } };
    expect(resolve([{ file: "config.json", said: all }, flags], "lavapipe").loss).toBe("dice");
  });

  it("takes each optimizer with what it has: AdamW has a weight decay by itself", () => {
    for (const said of [
      { optimizer: "adamw", weightDecay: 0 },
      { optimizer: "sgd", weightDecay: 1e-4, sgdMomentum: 0.95, nesterov: true },
    ])
      expect(resolveConfig(said, "lavapipe")).toMatchObject(said);
    expect(resolveConfig({ optimizer: "adamw" }, "hardware").weightDecay).toBe(0.004);
    expect(resolveConfig({ optimizer: "sgd" }, "hardware")).toMatchObject({
      weightDecay: 0,
      sgdMomentum: 0.9,
    });
    const file = { file: "run.json", said: { optimizer: "sgd", sgdMomentum: 0.5, nesterov: true } };
    expect(resolve([file, { file: null, said: { optimizer: "adam" } }], "lavapipe").optimizer).toBe("adam");
  });

  it("has a preset for an hour, smaller where the CPU does the work, that freezes no encoder of random numbers for long", () => {
    const best = (said: Said, kind: AdapterKind) => resolveConfig({ preset: "best", ...said }, kind);
    const hardware = best({ weights: "w.h5" }, "hardware");
    expect(hardware).toMatchObject({
      preset: "best",
      budget: 3600,
      stepsPerEpoch: null,
      augmentMode: "random",
    });
    expect(openBudget(hardware)).toBe(3600);
    expect(hardware.epochsFinetune).toBeGreaterThan(hardware.epochsFrozen);
    expect(best({ weights: "w.h5" }, "lavapipe")).toMatchObject({
      ...{ imageSize: "96x64", encoderStatistics: "moving", bnMomentum: 0.9, budget: 3600 },
    });
    expect(best({}, "swiftshader")).toMatchObject({
      ...{ imageSize: "96x64", epochsFrozen: 1, encoderRateScale: 1, encoderStatistics: "batch" },
    });
    expect(best({ stepsPerEpoch: 9 }, "hardware")).toMatchObject({ budget: null, stepsPerEpoch: 9 });
    for (const encoder of ["inceptionv3", "efficientnetb0"])
      expect(best({ encoder }, "lavapipe")).toMatchObject({ encoder, normalization: "keras" });
  });

  it("takes a budget in place of the steps of an epoch, and steps in place of a budget", () => {
    const file = (said: Said) => ({ file: "run.json", said });
    const flags = (said: Said) => ({ file: null, said });
    expect(resolveConfig({ budget: "6m" }, "lavapipe")).toMatchObject({ budget: 360, stepsPerEpoch: null });
    const steps = resolve([file({ budget: 360 }), flags({ stepsPerEpoch: 9 })], "lavapipe");
    expect(steps).toMatchObject({ budget: null, stepsPerEpoch: 9 });
    const all = resolve([file({ budget: 360 }), flags({ stepsPerEpoch: null })], "lavapipe");
    expect(all).toMatchObject({ budget: null, stepsPerEpoch: null });
    // A run's own file has both.
    const run = file({ budget: 360, stepsPerEpoch: 130 });
    expect(resolve([run], "lavapipe")).toMatchObject(run.said);
    expect(openBudget(resolve([run], "lavapipe"))).toBeNull();
    const anew = resolve([run, flags({ budget: 60 })], "lavapipe");
    expect(anew).toMatchObject({ budget: 60, stepsPerEpoch: null });
    expect(openBudget(anew)).toBe(60);
    expect(resolve([run, flags({ budget: null })], "lavapipe")).toMatchObject({
      ...{ budget: null, stepsPerEpoch: 130 },
    });
    expect(() => resolveConfig({ budget: "6m", stepsPerEpoch: 130 }, "lavapipe")).toThrow(
      "--budget chooses how many steps an epoch has, and --steps-per-epoch says it: leave one out.",
    );
    expect(() => resolveConfig({ budget: "soon" }, "lavapipe")).toThrow(
      '--budget must be a time, such as "45s", "30m" or "1.5h" (it is "soon").',
    );
  });

  it("lets flags win, and those left out stay the preset's", () => {
    const config = resolveConfig({ imageSize: 96, batchSize: undefined, seed: 7, out: "here" }, "lavapipe");
    expect(config).toMatchObject({ imageSize: 96, batchSize: 4, seed: 7, out: "here" });
  });

  it("keeps a square as a number and a rectangle as height by width, however it is written", () => {
    const kept = [128, "128", "96x64", "96×64", " 96 X 64 ", "64x64"].map(
      (imageSize) => resolveConfig({ imageSize }, "lavapipe").imageSize,
    );
    expect(kept).toEqual([128, 128, "96x64", "96x64", "96x64", 64]);
  });

  it("keeps crops and their scale, a photo's own size included", () => {
    expect(resolveConfig({ crop: "32x64", scale: " 0.50 .. 2 " }, "lavapipe")).toMatchObject({
      crop: "32x64",
      scale: "0.5..2",
    });
    expect(resolveConfig({ crop: 128, scale: "1..2" }, "lavapipe").crop).toBe(128);
    expect(
      resolveConfig({ crop: 64, augment: ["rot90"], augmentMode: "random", imageSize: "96x64" }, "lavapipe")
        .crop,
    ).toBe(64);
    expect(resolveConfig({}, "lavapipe")).toMatchObject({ crop: null, scale: null });
  });

  it("scales the fine-tuning rate with --learning-rate unless it is given itself", () => {
    const scaled = resolveConfig({ learningRate: 4e-3, weights: "w.h5" }, "lavapipe");
    expect(scaled.finetuneLearningRate).toBeCloseTo(6e-5, 12);
    expect(
      resolveConfig({ learningRate: 2e-3, finetuneLearningRate: 5e-5 }, "lavapipe").finetuneLearningRate,
    ).toBe(5e-5);
  });

  it.each([
    [{ imageSize: 50 }, "--image-size must be a multiple of 32"],
    [{ imageSize: 0 }, "--image-size must be at least 32"],
    [{ crop: "48" }, "--crop must be a multiple of 32"],
    [{ crop: 128 }, "--crop 128 is larger than photos ever are, 64×64: give a smaller one"],
    [{ crop: "64x160", scale: "0.5..2" }, "--crop 64x160 is larger than photos ever are, 128×128"],
    [{ crop: 64, imageSize: 128, encoder: "inceptionv3" }, "--crop must be at least 96"],
    [{ crop: 32, scale: "2..0.5" }, "--scale must be a range of numbers above 0, the smaller one first"],
    [{ crop: 32, scale: "0..2" }, "--scale must be a range of numbers above 0, the smaller one first"],
    [{ crop: 32, scale: "-1..2" }, "--scale must be a range of numbers above 0, the smaller one first"],
    [{ crop: 32, scale: "2" }, "--scale must be a range, such as 0.5..2"],
    [{ crop: 32, scale: "a..b" }, "--scale must be a range, such as 0.5..2"],
    [{ scale: "0.5..2" }, "--scale is of the photos that crops are taken from, and there are none"],
    [
      { crop: "32x64", augment: ["rot90"], augmentMode: "random" },
      "--augment rot90 makes photos of 64×32 of those of 32×64",
    ],
    [{ imageSize: "96x0" }, "--image-size must be at least 32"],
    [{ imageSize: "96x50" }, "--image-size must be a multiple of 32"],
    [{ imageSize: "96,64" }, "--image-size must be a number of pixels, or height by width, such as 96x64"],
    [
      { imageSize: "large" },
      '--image-size must be a number of pixels, or height by width, such as 96x64 (it is "large")',
    ],
    [{ imageSize: "128x64", encoder: "inceptionv3" }, "--image-size must be at least 96"],
    [
      { imageSize: "96x64", augment: ["rot90"], augmentMode: "random" },
      "--augment rot90 makes photos of 64×96 of those of 96×64",
    ],
    [{ batchSize: 2.5 }, "--batch-size must be a whole number"],
    [{ learningRate: -1 }, "--learning-rate must be above 0"],
    [{ seed: -1 }, "--seed must be at least 0"],
    [{ epochsFrozen: 0, epochsFinetune: 0 }, "There is nothing to train"],
    [
      { loss: "hinge" },
      "--loss must be one of cross-entropy, dice, dice-cross-entropy, focal, tversky, lovasz",
    ],
    [{ labelSmoothing: 1 }, "--label-smoothing must be below 1"],
    [
      { labelSmoothing: 0.1, loss: "dice" },
      "--label-smoothing smooths the truth of a cross-entropy, and --loss dice has none",
    ],
    [{ labelSmoothing: 0.1, loss: "focal" }, "--label-smoothing smooths the truth of a cross-entropy"],
    [
      { classWeights: "sqrt", loss: "lovasz" },
      "--class-weights weighs the loss of each pixel, and --loss lovasz has",
    ],
    [{ classWeights: 3 }, "--class-weights must be one of none, balanced, sqrt, enet, or a file of weights"],
    [{ focalGamma: -1, loss: "focal" }, "--focal-gamma must be at least 0"],
    [
      { focalGamma: 3 },
      "--focal-gamma is for --loss focal, and this run's is dice-cross-entropy: leave it out, or give",
    ],
    [{ tverskyAlpha: 0.5, loss: "dice" }, "--tversky-alpha is for --loss tversky, and this run's is dice"],
    [{ tverskyBeta: 0, loss: "tversky" }, "--tversky-beta must be above 0"],
    [{ optimizer: "lion" }, "--optimizer must be one of rmsprop, adam, adamw, sgd (it"],
    [{ optimizer: "sgd", weightDecay: -1 }, "--weight-decay must be at least 0 (it"],
    [
      { weightDecay: 0.1, optimizer: "adam" },
      "--weight-decay is for adamw and sgd, and this run's --optimizer is adam: give one of them, or --weight-decay 0.",
    ],
    [{ sgdMomentum: 1, optimizer: "sgd" }, "--sgd-momentum must be below 1 (it"],
    [
      { sgdMomentum: 0.5, optimizer: "adamw" },
      "--sgd-momentum is for --optimizer sgd, and this run's is adamw: leave it out, or give --optimizer sgd.",
    ],
    [{ nesterov: true }, "--nesterov is for --optimizer sgd, and this run's is adamw"],
    [
      { optimizer: "sgd", nesterov: true, sgdMomentum: 0 },
      "--nesterov looks ahead along a velocity, and --sgd-momentum 0 keeps none: leave one out.",
    ],
    ...[0, 1, -0.5, 2, "much"].map((ema): [Said, string] => [
      { ema },
      `--ema must be above 0 and below 1, 0.999 for example, or none (it is ${JSON.stringify(ema)}).`,
    ]),
    [{ encoderRateScale: 0 }, "--encoder-rate-scale must be above 0 (it"],
    [{ schedule: "step" }, "--schedule must be one of constant, cosine, poly, one-cycle (it"],
    [
      { schedule: "one-cycle", warmupSteps: 5 },
      "--warmup-steps lets the learning rate rise, and --schedule one-cycle does so by itself",
    ],
    [{ accumulate: 0 }, "--accumulate must be at least 1"],
    [{ batchSize: 64, accumulate: 5 }, "--batch-size 64 is no multiple of 5: give --batch-size 65"],
    [{ wire: "bf16" }, "--wire must be one of f32, f16 (it"],
    [{ precision: "f64" }, "--precision must be one of f32, f16 (it"],
    [
      { precision: "bf16" },
      "--precision must be one of f32, f16, since WGSL, which the kernels are written in, has no bf16 (it",
    ],
    [{ preset: "slow" }, "--preset must be one of quick, article"],
    [
      { augment: ["hue", "blur"] },
      '--augment knows no augmentation "blur" (gaussian_blur, perhaps): the names are article, strong, original,',
    ],
    [{ augment: ["strong", "mosaic"] }, 'cutout (it is ["strong","mosaic"]).'],
    [{ augment: ["crops"] }, 'knows no augmentation "crops" (crop, perhaps): the'],
    [{ augment: ["mosaic"] }, 'knows no augmentation "mosaic": the names are'],
    [
      { augment: ["affine"], augmentMode: "copies" },
      "--augment-mode copies keeps a copy of each photo, and affine makes another one each time: leave it out, or give",
    ],
    [{ augment: [] }, "--augment must name at least one augmentation"],
    [{ time: "soon" }, '--time must be a time, such as "45s"'],
    [{ tensorboard: 1 }, "--tensorboard must be true or false"],
    [{ name: "a/b" }, "--name must be made of letters"],
  ])("refuses %j in one sentence", (flags, sentence) => {
    expect(() => resolveConfig(flags, "lavapipe")).toThrow(ConfigError);
    expect(() => resolveConfig(flags, "lavapipe")).toThrow(sentence);
  });

  it("spells sets of augmentations out, and chooses the mode that goes with them where nobody does", () => {
    const chosen = (said: Said, adapter: "hardware" | "lavapipe" = "hardware") => {
      const { augment, augmentMode } = resolveConfig(said, adapter);
      return [augment, augmentMode];
    };
    const { article, strong } = AUGMENTATION_SETS;
    expect(chosen({})).toEqual([article, "copies"]);
    expect(chosen({ augment: ["article"] }, "lavapipe")).toEqual([article, "copies"]);
    expect(chosen({ augment: ["article"], augmentMode: "random" })).toEqual([article, "random"]);
    expect(chosen({ augment: ["strong"] })).toEqual([strong, "random"]);
    expect(chosen({ augment: ["strong"], augmentMode: undefined })).toEqual([strong, "random"]);
    expect(chosen({ augment: ["strong", "rot90"] })).toEqual([[...strong, "rot90"], "random"]);
    expect(chosen({ augment: ["rot90", "jpeg"] })).toEqual([["rot90", "jpeg"], "random"]);
    expect(chosen({ augment: ["rot90"] })).toEqual([["rot90"], "copies"]);
    expect(chosen({ augment: ["rot90"] }, "lavapipe")).toEqual([["rot90"], "random"]);
    expect(chosen({ augment: null, augmentMode: "copies" })).toEqual([null, "copies"]);
  });

  it("reads times", () => {
    const seconds = (time: unknown) => resolveConfig({ time }, "lavapipe").time;
    expect([45, "45", "45s", "30m", "1.5h", null].map(seconds)).toEqual([45, 45, 45, 1800, 5400, null]);
  });

  it("is its own fixed point, as a run's config.json given to --config is", () => {
    const config = resolveConfig({ weights: "w.h5", time: "30m", seed: 5 }, "lavapipe");
    expect(
      resolve([{ file: "config.json", said: JSON.parse(JSON.stringify(config)) as Said }], "hardware"),
    ).toEqual(config);
  });
});

describe("a configuration file", () => {
  const inFolder = temporaryFolder();
  async function file(name: string, text: string): Promise<string> {
    const path = inFolder(name);
    await writeFile(path, text);
    return path;
  }

  it("is YAML or JSON, and flags win over it", async () => {
    const yaml = await readConfigFile(
      await file("a.yaml", "batchSize: 8\naugment: [hue, crop]\ntime: 30m\n"),
    );
    const json = await readConfigFile(
      await file("a.json", '{"batchSize": 8, "augment": ["hue", "crop"], "time": "30m"}'),
    );
    for (const source of [yaml, json]) {
      const config = resolve([source, { file: null, said: { batchSize: 2 } }], "lavapipe");
      expect(config).toMatchObject({ batchSize: 2, augment: ["hue", "crop"], time: 1800 });
    }
  });

  it("is refused with its name and the setting's", async () => {
    const typo = await readConfigFile(await file("typo.yaml", "batch_size: 8\n"));
    expect(() => resolve([typo], "lavapipe")).toThrow(
      /typo\.yaml sets "batch_size", which is no setting: .*batchSize/,
    );
    const wrong = await readConfigFile(await file("wrong.yaml", "batchSize: many\n"));
    expect(() => resolve([wrong], "lavapipe")).toThrow(
      /wrong\.yaml: batchSize \(--batch-size\) must be a number \(it is "many"\)\.$/,
    );
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
      const inherited = await readConfigFile(await file("inherited.json", `{"${name}": {"batchSize": 3}}`));
      expect(() => resolve([inherited], "lavapipe")).toThrow(ConfigError);
      expect(() => resolve([inherited], "lavapipe")).toThrow(
        `inherited.json sets "${name}", which is no setting: the settings are preset, data, `,
      );
    }
    for (const text of ["[1, 2]", "just words", ""])
      await expect(readConfigFile(await file("list.yaml", text))).rejects.toThrow(
        /list\.yaml holds no settings/,
      );
    await expect(readConfigFile(await file("broken.yaml", "{"))).rejects.toThrow(
      /broken\.yaml is neither YAML nor JSON/,
    );
    await expect(readConfigFile("nowhere.yaml")).rejects.toThrow(
      "The configuration nowhere.yaml cannot be read (there is no such file)",
    );
    await expect(readConfigFile(tmpdir())).rejects.toThrow("it is a folder");
  });
});
