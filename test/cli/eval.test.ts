import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { decodePhoto } from "../../src/data/photo.ts";
import { trainTestSplit } from "../../src/data/split.ts";
import { resolveConfig } from "../../src/config/index.ts";
import type { EvaluationReport } from "../../src/use/evaluation-report.ts";
import { loadModel } from "../../src/use/model.ts";
import { Predictor } from "../../src/use/predictor.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { saveTinyModel, TINY_CLASSES } from "../train/tiny-model.ts";
import { runCommandLine, runCommandQuickly } from "./command-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const SIZE = 32;
const PHOTOS = 6;
const [WIDTH, HEIGHT] = [40, 60];
/** Class 3 never occurs. */
const label = (x: number, y: number, i: number): number => [0, 1, 2, 4][Math.floor((x + y + 7 * i) / 9) % 4];

/** Six photos with masks, each a little different. */
async function photos(): Promise<string> {
  const files: Record<string, Buffer> = {};
  for (let i = 0; i < PHOTOS; i++) {
    files[`images/${i}.png`] = await photo(WIDTH, HEIGHT)
      .modulate({ hue: 40 * i, brightness: 1 - i / 10 })
      .png()
      .toBuffer();
    files[`masks/${i}.png`] = await greyPng(WIDTH, HEIGHT, (x, y) => label(x, y, i));
  }
  return folderOf(files);
}

/** What one writes with NumPy over the network's logits of the photos `chosen`. */
async function reference(predictor: Predictor, data: string, chosen: readonly number[]) {
  const C = TINY_CLASSES.length;
  const bins = Array<number>(C * C).fill(0);
  let loss = 0;
  for (const i of chosen) {
    const [logits] = await predictor.scores([await decodePhoto(join(data, "images", `${i}.png`))]);
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const at = [((x + 0.5) * WIDTH) / SIZE, ((y + 0.5) * HEIGHT) / SIZE].map(Math.floor);
        const truth = label(at[0], at[1], i);
        const values = [...logits.subarray((y * SIZE + x) * C, (y * SIZE + x + 1) * C)];
        const most = Math.max(...values);
        bins[C * truth + values.indexOf(most)] += 1;
        loss += most + Math.log(values.reduce((sum, v) => sum + Math.exp(v - most), 0)) - values[truth];
      }
    }
  }
  const matrix = Array.from({ length: C }, (_, row) => bins.slice(row * C, (row + 1) * C));
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const rows = matrix.map(sum);
  const columns = matrix.map((_, column) => sum(matrix.map((row) => row[column])));
  const iou = matrix.map((row, c) => row[c] / (rows[c] + columns[c] - row[c]));
  const meanOfPresent = (values: number[]): number => {
    const present = values.filter((_, c) => rows[c] > 0);
    return sum(present) / present.length;
  };
  const hits = matrix.map((row, c) => row[c]);
  const defined = (values: number[]) => values.map((value) => (Number.isNaN(value) ? null : value));
  const dice = hits.map((right, c) => (2 * right) / (rows[c] + columns[c]));
  const recall = hits.map((right, c) => right / rows[c]);
  return {
    matrix,
    rows,
    columns,
    iou: defined(iou),
    dice: defined(dice),
    precision: defined(hits.map((right, c) => right / columns[c])),
    recall: defined(recall),
    meanDice: meanOfPresent(dice),
    meanAccuracy: meanOfPresent(recall),
    weightedIou: sum(rows.map((pixels, c) => (pixels > 0 ? pixels * iou[c] : 0))) / sum(bins),
    accuracy: sum(hits) / sum(bins),
    background: rows[0] / sum(bins),
    meanIou: meanOfPresent(iou),
    loss: loss / sum(bins),
  };
}

describe("npm run eval", () => {
  const gpu = useGpu();

  it("agrees exactly with a plain reference, on all photos and on those a run held back", async () => {
    const data = await photos();
    const run = await folderOf();
    await mkdir(join(run, "checkpoints"));
    const file = join(run, "checkpoints", "best.safetensors");
    await saveTinyModel(gpu(), file);
    const said = { data, splitSeed: 3, imageSize: SIZE, batchSize: 2, validationPhotos: null };
    const config = resolveConfig([{ file: null, said }], "lavapipe");
    await writeFile(join(run, "config.json"), JSON.stringify(config));

    const json = join(run, "new", "eval.json");
    const figures = join(run, "figures");
    const csv = join(run, "photos.csv");
    const all = await runCommandLine("eval", [
      ...["--model", file, "--data", data, "--json", json, "--figures", figures, "--batch-size", "4"],
      ...["--photos", csv],
    ]);
    expect(all.errors).toBe("");
    expect(all.code).toBe(0);
    const held = await runCommandQuickly("eval", ["--model", run, "--json", join(run, "held.json")]);
    expect(held.errors).toBe("");

    const predictor = await Predictor.create(gpu(), await loadModel(run), { batchSize: 1 });
    try {
      const everything = await reference(predictor, data, [0, 1, 2, 3, 4, 5]);
      const report = JSON.parse(await readFile(json, "utf8")) as EvaluationReport;
      expect(report).toMatchObject({
        model: file,
        data,
        split: "all",
        photos: PHOTOS,
        pixels: PHOTOS * SIZE * SIZE,
        image_size: SIZE,
        mask_interpolation: "nearest",
        accuracy: everything.accuracy,
        background_accuracy: everything.background,
        mean_iou: everything.meanIou,
        mean_dice: everything.meanDice,
        mean_accuracy: everything.meanAccuracy,
        fw_iou: everything.weightedIou,
        ignored_pixels: 0,
        present_classes: 4,
      });
      expect(report.confusion).toEqual(everything.matrix);
      for (const figure of ["iou", "dice", "precision", "recall"] as const)
        expect(report.classes.map((each) => each[figure])).toEqual(everything[figure]);
      // Its figures have a test of their own.
      expect(report.boundary_f1).toBeGreaterThan(0);
      expect(report.classes.filter(({ boundary_f1 }) => boundary_f1 !== null)).toHaveLength(4);
      expect(report.classes.map(({ pixels }) => pixels)).toEqual(everything.rows);
      expect(report.classes.map(({ predicted_pixels }) => predicted_pixels)).toEqual(everything.columns);
      expect(report.classes.map(({ name }) => name)).toEqual(TINY_CLASSES);
      expect(Math.abs(report.loss! / everything.loss - 1)).toBeLessThan(1e-5);

      expect(all.output).toContain(`pixel accuracy  ${everything.accuracy.toFixed(4)}`);
      expect(all.output).toMatch(/Not in these photos \(1\): boots/);
      const listed = /IoU .* edges\n─+\n([^]*?)\n\n/.exec(all.output)![1].split("\n");
      const counts = listed.map((line) => Number(line.split(/\s+/)[1].replaceAll(",", "")));
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
      expect(listed).toHaveLength(4);
      const overlays = ["worst_1", "worst_2", "best_1", "best_2"].map((name) => `overlay_${name}`);
      for (const name of ["confusion", "classes", "worst_best", ...overlays])
        expect((await sharp(join(figures, `${name}.png`)).metadata()).width).toBeGreaterThan(300);
      const [header, ...photoRows] = (await readFile(csv, "utf8")).trimEnd().split("\n");
      expect(header).toBe("name,pixels,accuracy,mean_iou");
      const rows = photoRows.map((row) => row.split(","));
      expect(rows.map(([name]) => name)).toEqual(["0", "1", "2", "3", "4", "5"]);
      expect(rows.every(([, pixels]) => Number(pixels) === SIZE * SIZE)).toBe(true);
      const mean = rows.reduce((sum, [, , accuracy]) => sum + Number(accuracy), 0) / PHOTOS;
      expect(mean).toBeCloseTo(report.accuracy, 6);
      for (const i of [0, 5]) {
        const { accuracy, meanIou } = await reference(predictor, data, [i]);
        expect(rows[i].slice(2).map(Number)).toEqual([
          expect.closeTo(accuracy, 6),
          expect.closeTo(meanIou, 6),
        ]);
      }

      const { test } = trainTestSplit(PHOTOS, { seed: 3 });
      const validation = await reference(predictor, data, test);
      const heldReport = JSON.parse(await readFile(join(run, "held.json"), "utf8")) as EvaluationReport;
      expect(heldReport).toMatchObject({ data, split: "validation", photos: test.length });
      expect(heldReport.confusion).toEqual(validation.matrix);
    } finally {
      predictor.destroy();
    }
  });

  it("compares masks at the photos' own size", async () => {
    const data = await photos();
    const file = join(await folderOf(), "model.safetensors");
    await saveTinyModel(gpu(), file);
    const json = join(data, "eval.json");
    const report = async (...args: string[]): Promise<EvaluationReport> => {
      const { errors } = await runCommandQuickly("eval", [
        ...["--model", file, "--data", data, "--json", json],
        ...args,
      ]);
      expect(errors).toBe("");
      return JSON.parse(await readFile(json, "utf8")) as EvaluationReport;
    };
    const figures = join(data, "figures");
    const csv = join(data, "photos.csv");
    const shown = ["--figures", figures, "--photos", csv];
    const own = await report("--resolution", "photo", "--batch-size", "4", ...shown);
    // Photos of 40×60, made as large as 800 pixels are.
    expect((await sharp(join(figures, "overlay_worst_1.png")).metadata()).height).toBeGreaterThan(800);
    expect(await readFile(csv, "utf8")).toMatch(/^name,.*\n0,2400,0\.\d+,0\.\d+\n1,2400,/);
    const predictor = await Predictor.create(gpu(), await loadModel(file));
    const C = TINY_CLASSES.length;
    const bins = Array<number>(C * C).fill(0);
    for (let i = 0; i < PHOTOS; i++) {
      const [{ mask }] = await predictor.label([await decodePhoto(join(data, "images", `${i}.png`))]);
      mask.forEach((found, at) => bins[C * label(at % WIDTH, Math.floor(at / WIDTH), i) + found]++);
    }
    predictor.destroy();
    expect(own.confusion.flat()).toEqual(bins);
    expect(own).toMatchObject({
      ...{ resolution: "photo", seen: "resized to 32×32", loss: null },
      ...{ photos: PHOTOS, pixels: PHOTOS * WIDTH * HEIGHT, ignored_pixels: 0 },
    });

    const windows = await report("--window", "32", "--tta", "flips");
    expect(windows).toMatchObject({
      resolution: "photo",
      seen: "at its own size, in windows of 32×32 that overlap by 25 %, in 2 views",
      pixels: PHOTOS * WIDTH * HEIGHT,
    });
    expect(windows.confusion).not.toEqual(own.confusion);
    const { errors } = await runCommandQuickly("eval", [
      ...["--model", file, "--data", data, "--window", "32", "--resolution", "model"],
    ]);
    expect(errors).toMatch(/^With --window and --tta masks are compared at the photos' own size: leave/);
  });

  it("says in a sentence what it cannot do, and writes nothing", async () => {
    const folder = await folderOf();
    const file = join(folder, "model.safetensors");
    await saveTinyModel(gpu(), file);
    const refused = async (args: string[], sentence: RegExp): Promise<void> => {
      const json = join(folder, "eval.json");
      const { code, errors } = await runCommandQuickly("eval", [...args, "--json", json]);
      expect(errors.trim()).toMatch(sentence);
      expect(errors.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
      await expect(access(json)).rejects.toThrow();
    };
    await refused(["--data", folder], /^error: required option '--model <path>' not specified$/);
    await refused(["--model", file], /does not lie in the folder of a run.*give --data\.$/);
    await refused(["--model", file, "--data", folder, "--split", "validation"], /leave --split out/);
    await refused(["--model", file, "--data", join(folder, "none")], /none/);
    await refused(
      ["--model", file, "--data", folder, "--batch-size", "0"],
      /"0" is not a whole number above 0/,
    );
    await refused(
      ["--model", file, "--data", folder, "--precision", "bf16"],
      /^error: option '--precision <f32\|f16>' argument 'bf16' is invalid\. It must be one of f32, f16, since WGSL, .* has no bf16\.$/,
    );
    const data = await folderOf({
      "images/a.png": await photo(8, 8).png().toBuffer(),
      "masks/a.png": await greyPng(8, 8, () => 7),
    });
    await refused(
      ["--model", file, "--data", data],
      /^Value 7 is none of the 5 classes from the model: .*masks\/a\.png/,
    );
  });
});
