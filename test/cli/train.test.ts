import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseHistory } from "../../src/runs/history.ts";
import type { Summary } from "../../src/runs/summary.ts";
import { loadModel } from "../../src/use/model.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { runCommandLine } from "./command-process.ts";
import { photos, TINY, train } from "./train-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);
vi.mock(import("../../src/runs/figures/render-svg.ts"), () => import("../helpers/white-figures.ts"));

describe("npm run train", () => {
  let root: string;
  let folder: string;
  /** What a run left, for others to begin from. */
  let checkpoint: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "bespoke-train-"));
    const { code, errors } = await train(root, [...TINY, "--out", "first"]);
    expect([code, errors]).toEqual([0, ""]);
    checkpoint = join(root, "first", "checkpoints", "last.safetensors");
  }, 600_000);
  afterAll(() => rm(root, { recursive: true, force: true }));
  beforeEach(async () => {
    folder = await mkdtemp(join(root, "case-"));
  });

  async function refused(args: string[], sentence: RegExp, env?: NodeJS.ProcessEnv): Promise<void> {
    // Photos that were resized and found good are kept for the next try.
    const listed = async (): Promise<string[]> =>
      (await readdir(folder)).filter((name) => name !== ".cache").sort();
    const before = await listed();
    const { code, errors } = await train(folder, [...args, "--out", "run"], { env });
    expect(errors.trim()).toMatch(sentence);
    expect(errors.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
    expect(await listed()).toEqual(before);
  }

  it("makes a complete run from no files at all", async () => {
    const { code, output, errors } = await runCommandLine("train", TINY, {
      cwd: folder,
      env: { BESPOKE_DEBUG: "1" },
    });
    expect(errors).toBe("");
    expect(code).toBe(0);
    for (const phase of ["encoder frozen", "fine-tuning"])
      expect(output).toMatch(new RegExp(`^A step of 2 photos \\(${phase}\\):\\n +op +kernel +reads`, "m"));
    const run = join(folder, "runs", "train-1");
    const files = [
      "config.json",
      "environment.json",
      "history.csv",
      "photos.csv",
      "plan.json",
      "summary.json",
      "tiles.json",
    ];
    expect((await readdir(run)).sort()).toEqual(["checkpoints", "figures", "tensorboard", ...files].sort());
    expect((await readdir(join(run, "checkpoints"))).sort()).toEqual([
      "best.safetensors",
      "last.safetensors",
    ]);
    const figures = await readdir(join(run, "figures"));
    expect(figures.sort()).toEqual(
      [
        ...["classes", "confusion", "curves", "predictions", "predictions_finetuned", "predictions_frozen"],
        ...["augmentations", "samples"],
        ...["worst_best", ...["worst_1", "worst_2", "best_1", "best_2"].map((name) => `overlay_${name}`)],
      ]
        .map((name) => `${name}.png`)
        .sort(),
    );
    for (const figure of figures)
      expect((await sharp(join(run, "figures", figure)).metadata()).width).toBeGreaterThan(300);
    expect(await readdir(join(run, "tensorboard"))).toHaveLength(1);
    const plan = JSON.parse(await readFile(join(run, "plan.json"), "utf8")) as Record<string, unknown>;
    expect(Object.keys(plan)).toEqual(["frozen", "finetune"]);
    const history = parseHistory(await readFile(join(run, "history.csv"), "utf8"));
    expect(history.map(({ epoch, phase }) => [epoch, phase])).toEqual([
      [1, "frozen"],
      [2, "finetune"],
    ]);
    const summary = JSON.parse(await readFile(join(run, "summary.json"), "utf8")) as Summary;
    expect(summary).toMatchObject({ steps: 2, epochs: 2, validation_photos: 4 });
    expect(summary.val_accuracy).toBeCloseTo(history[1].valAccuracy, 6);
    expect(summary.peak_bytes).toBeGreaterThan(summary.planned_peak_bytes);
    expect(output).toContain("Epoch 2/2 (fine-tuning)");
    expect(output).toMatch(/The best epoch is that with the highest val_mean_iou: background is [\d.]+ % of/);
    expect(output).toMatch(
      /^val_accuracy [\d.]+ on 4 photos .*, best val_mean_iou [\d.]+ after epoch [12],/m,
    );

    const { tensors, metadata } = await readSafetensors(join(run, "checkpoints", "last.safetensors"));
    const { shape } = tensors.get("head/kernel")!;
    expect(tensors.get("head/kernel/adamw_finetune_m")?.shape).toEqual(shape);
    expect(metadata).toMatchObject({
      epoch: "2",
      image_size: "32",
      decoder: "nearest",
      normalization: "imagenet",
    });
  });

  it("names the tensor of a checkpoint that does not fit", async () => {
    const { tensors, metadata } = await readSafetensors(checkpoint);
    const wrong = join(folder, "wrong.safetensors");
    const kernel = tensors.get("conv1/conv/kernel")!;
    tensors.set("conv1/conv/kernel", { ...kernel, shape: [...kernel.shape].reverse() });
    await writeSafetensors(wrong, tensors, metadata);
    await refused(
      [...TINY, "--weights", wrong],
      /"conv1\/conv\/kernel" has shape \[(8|64), 3, 7, 7\] where \[7, 7, 3, \1\] is expected/,
    );
    tensors.delete("conv1/conv/kernel");
    await writeSafetensors(wrong, tensors, metadata);
    await refused([...TINY, "--weights", wrong], /has no tensor "conv1\/conv\/kernel"/);
  });

  it("reads a configuration file, flags before it, names runs, and begins from a checkpoint of its own", async () => {
    await photos(folder);
    const settings = ["data: data", "imageSize: 32", "batchSize: 2", "epochsFrozen: 1", "epochsFinetune: 1"];
    const others = ["stepsPerEpoch: 9", "normalization: imagenet", "saveEvery: 1", "tensorboard: false"];
    await writeFile(
      join(folder, "mine.yaml"),
      [...settings, ...others, `weights: ${JSON.stringify(checkpoint)}`].join("\n"),
    );
    const { code, output, errors } = await train(folder, [
      ...["--config", "mine.yaml", "--steps-per-epoch", "1", "--name", "mine", "--epochs-finetune", "0"],
    ]);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toContain(`Writing to ${join("runs", "mine-1")}`);
    const run = join(folder, "runs", "mine-1");
    expect(JSON.parse(await readFile(join(run, "config.json"), "utf8"))).toMatchObject({
      normalization: "imagenet",
      stepsPerEpoch: 1,
      weights: checkpoint,
    });
    expect((await readdir(join(run, "checkpoints"))).sort()).toEqual(
      ["best", "epoch-1", "last"].map((name) => `${name}.safetensors`),
    );
    expect(await readdir(run)).not.toContain("tensorboard");
    expect((await sharp(join(run, "figures", "resized.png")).metadata()).width).toBeGreaterThan(300);
    // A frozen encoder stays as it was given, to the bit.
    const [given, kept] = [checkpoint, join(run, "checkpoints", "last.safetensors")].map(readSafetensors);
    for (const [name, same] of [
      ["conv1/conv/kernel", true],
      ["head/kernel", false],
    ] as const) {
      const [before, after] = (await Promise.all([given, kept])).map(
        ({ tensors }) => tensors.get(name)!.data,
      );
      expect([name, before.every((value, i) => value === after[i])]).toEqual([name, same]);
    }
  });

  it("begins from a network of other classes, its new head learning alone", async () => {
    await photos(folder);
    await writeFile(join(folder, "map.csv"), "0-19,sky\n20-39,road\n40-58,car\n");
    const { code, output, errors } = await train(folder, [
      ...["--data", "data", "--label-map", "map.csv", "--weights", checkpoint, "--freeze", "decoder"],
      ...["--image-size", "32", "--batch-size", "2", "--steps-per-epoch", "2", "--out", "run"],
      ...["--epochs-frozen", "1", "--epochs-finetune", "0", "--cache-features"],
    ]);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toContain(
      `${checkpoint} tells 59 classes apart and the data has 3: its encoder and decoder are taken, and the head starts anew.`,
    );
    expect(output).toMatch(/^Encoder and decoder frozen: \d+ dispatches a step/m);
    expect(output).toMatch(/^Epoch 1\/1 \(encoder and decoder frozen\) /m);
    const [given, kept] = await Promise.all(
      [checkpoint, join(folder, "run", "checkpoints", "last.safetensors")].map(readSafetensors),
    );
    expect(JSON.parse(kept.metadata.classes)).toEqual(["sky", "road", "car"]);
    expect(kept.tensors.get("head/bias")!.shape).toEqual([3]);
    const network = [...kept.tensors].filter(
      ([name]) => !name.startsWith("head/") && name !== "adamw_frozen/step",
    );
    expect(network.length).toBeGreaterThan(50);
    for (const [name, { data }] of network)
      expect([
        name,
        Buffer.from(data.buffer).equals(Buffer.from(given.tensors.get(name)!.data.buffer)),
      ]).toEqual([name, true]);
  });

  it("says what it would do and writes no run (--dry-run)", async () => {
    await photos(folder);
    const { code, output, errors } = await train(folder, [
      ...["--dry-run", "--preset", "article", "--data", "data", "--image-size", "32", "--batch-size", "2"],
      ...["--accumulate", "2"],
    ]);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toMatch(/photos +6 from data/);
    expect(output).toMatch(/split +4 to train on/);
    expect(output).toMatch(
      /augment +7 copies: original, brightness, gamma, hue, crop, flip_left_right, flip_up_down \(28 samples\)/,
    );
    expect(output).toMatch(/pass +14 batches of 2$/m);
    expect(output).toMatch(/image +\[1, 32, 32, 3\]/);
    expect(output).toMatch(/logits +\[1, 32, 32, 59\]/);
    expect(output).toMatch(/Epochs 0 to 19: encoder frozen/);
    expect(output).toMatch(/Epochs 20 to 39: fine-tuning/);
    expect(output).toMatch(/steps +2 an epoch, 40 in all, each in 2 micro-batches of 1/);
    expect(output).toMatch(/memory +\d+ MiB/);
    expect(output).toMatch(/in all +at most \d+ MiB at once/);
    expect(output).toMatch(/whole run +about \d+:\d\d/);
    // Nothing but the cache of resized photos, which training reads next.
    expect((await readdir(folder)).sort()).toEqual([".cache", "data"]);
  });

  it("learns one batch by heart and finds the adapter deterministic", async () => {
    const { code, errors } = await train(folder, [
      ...["--overfit-batch", "--deterministic", "--image-size", "32", "--batch-size", "2", "--out", "run"],
      ...["--epochs-frozen", "0", "--epochs-finetune", "2", "--steps-per-epoch", "3"],
      ...["--class-weights", "sqrt"],
    ]);
    expect([code, errors]).toEqual([0, ""]);
    const history = parseHistory(await readFile(join(folder, "run", "history.csv"), "utf8"));
    expect(history[1].loss).toBeLessThan(history[0].loss);
    expect(JSON.parse(await readFile(join(folder, "run", "summary.json"), "utf8"))).toMatchObject({
      validation_photos: 2,
      ending: "finished",
    });
  });

  it("keeps the class weights of a file, and goes on with them whatever becomes of it", async () => {
    const weights = Array.from({ length: 59 }, (_, label) => `${label},${1 + label / 4}`);
    await writeFile(join(folder, "weights.csv"), weights.join("\n"));
    const flags = [
      ...["--image-size", "32", "--batch-size", "2", "--validation-photos", "2", "--epochs-frozen", "0"],
      ...["--epochs-finetune", "2", "--steps-per-epoch", "1"],
      ...["--loss", "dice-cross-entropy", "--label-smoothing", "0.1", "--class-weights", "weights.csv"],
    ];
    const begun = await train(folder, [...flags, "--max-steps", "1", "--out", "run"]);
    expect([begun.code, begun.errors]).toEqual([0, ""]);
    const kept = JSON.parse(await readFile(join(folder, "run", "class-weights.json"), "utf8")) as number[];
    expect(kept).toEqual(weights.map((_, label) => 1 + label / 4));
    await rm(join(folder, "weights.csv"));
    const ended = await train(folder, ["--resume", "run", "--max-steps", "2"]);
    expect([ended.code, ended.errors]).toEqual([0, ""]);
  });

  it("gives the same bits each time with losses that count by atomics", async () => {
    const { code, errors } = await train(folder, [
      ...["--overfit-batch", "--deterministic", "--image-size", "32", "--batch-size", "2", "--out", "run"],
      ...["--epochs-frozen", "0", "--epochs-finetune", "1", "--steps-per-epoch", "1", "--loss", "lovasz"],
    ]);
    expect([code, errors]).toEqual([0, ""]);
  });

  it("names the step and the tensor when it diverges, and the checkpoint to go on from", async () => {
    const { tensors, metadata } = await readSafetensors(checkpoint);
    const { shape, data } = tensors.get("head/kernel")!;
    tensors.set("head/kernel", { shape, data: new Float32Array(data.length).fill(3e38) });
    await writeSafetensors(join(folder, "huge.safetensors"), tensors, metadata);
    const { code, errors } = await train(folder, [...TINY, "--weights", "huge.safetensors", "--out", "run"]);
    expect(code).toBe(1);
    expect(errors.trim()).toMatch(
      /^Training diverged: the loss of step 1 of epoch 1 is not a finite number\. The first tensor that is not finite is \S+ \[2, \d+, \d+, 59\] at "head\/kernel"\. Try a lower --learning-rate or --clip-norm 1\. No checkpoint had been written yet\.$/,
    );
  });

  it("trains on another encoder, of random weights where they are not wanted, and says so in the checkpoint", async () => {
    const said = [...TINY, "--encoder", "densenet169", "--weights", "none", "--epochs-finetune", "0"];
    const { code, output, errors } = await train(folder, [...said, "--out", "run"]);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toMatch(/^Preset quick: DenseNet169, 32×32, /m);
    const { metadata } = await readSafetensors(join(folder, "run", "checkpoints", "last.safetensors"));
    expect(metadata).toMatchObject({ encoder: "densenet169", normalization: "imagenet" });
    expect((await loadModel(join(folder, "run"))).encoder.title).toBe("DenseNet169");
  });

  it("refuses settings that cannot be used", async () => {
    await refused(["--image-size", "50"], /^--image-size must be a multiple of 32.* \(it is 50\)\.$/);
    await refused(["--encoder", "vgg16"], /^--encoder must be one of densenet121, .* \(it is "vgg16"\)\.$/);
    await refused(
      ["--encoder", "densenet169"],
      /^There are no weights of DenseNet169 here: `npm run fetch -- --encoder densenet169` brings .*, or --weights none to begin/,
    );
    await refused(["--config", "nowhere.yaml"], /^The configuration nowhere\.yaml cannot be read/);
    await refused(["--adapter", "no such thing", ...TINY], /^No WebGPU adapter matches "no such thing"/);
  });

  it("refuses an output folder that is not empty", async () => {
    await mkdir(join(folder, "run"));
    await writeFile(join(folder, "run", "mine"), "");
    await refused(TINY, /The output folder run is not empty/);
  });

  it("refuses photos that no batch of fits, before it writes anything", async () => {
    const large = ["--image-size", "4096", "--batch-size", "2"];
    await refused(
      [...TINY, ...large],
      /^A batch of 2 photos at 4096×4096 does not fit.*, and no single photo would fit: use a smaller --image-size\.$/,
    );
  });

  it("says that there is no adapter", async () => {
    const hidden = {
      VK_DRIVER_FILES: "/nonexistent.json",
      VK_ICD_FILENAMES: "/nonexistent.json",
      BESPOKE_CHOSEN_ADAPTER: "",
    };
    await refused(TINY, /^No WebGPU adapter was found: run `npm run doctor`/, hidden);
  });

  describe("refuses photos that cannot be used", () => {
    const tiny = ["--data", "data", ...TINY];

    it("an image without a mask", async () => {
      const data = await photos(folder);
      await rm(join(data, "masks", "photo3.png"));
      await refused(tiny, /photo3\.jpg.*mask/);
    });

    it("a mask with class 200, where labels.csv names 59", async () => {
      const data = await photos(folder);
      const names = Array.from({ length: 59 }, (_, label) => `${label},thing ${label}`);
      await writeFile(join(data, "labels.csv"), names.join("\n"));
      const mask = sharp(new Uint8Array(40 * 60).fill(200), { raw: { width: 40, height: 60, channels: 1 } });
      await mask
        .toColourspace("b-w")
        .png()
        .toFile(join(data, "masks", "photo4.png"));
      await refused(tiny, /photo4\.png.*200/);
    });
  });
});
