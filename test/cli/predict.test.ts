import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { paintAnnotation } from "../../src/data/annotations/annotation.ts";
import { readCoco } from "../../src/data/annotations/coco.ts";
import { decodeMask } from "../../src/data/mask.ts";
import type { ClassShare } from "../../src/masks/class-shares.ts";
import { paintMask } from "../../src/masks/palette.ts";
import type { GeoJson } from "../../src/use/outline-files.ts";
import { readSafetensors } from "../../src/weights/safetensors-file.ts";
import { folderOf, photo } from "../data/folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { saveTinyModel, TINY_CLASSES } from "../train/tiny-model.ts";
import { runCommandLine, runCommandQuickly } from "./command-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

interface Shares {
  width: number;
  height: number;
  image_size: number;
  classes: ClassShare[];
}

/** The grey levels of a mask, which must be an 8-bit grey PNG. */
async function readMask(file: string): Promise<{ width: number; height: number; labels: Uint8Array }> {
  const picture = sharp(file);
  expect(await picture.metadata()).toMatchObject({
    format: "png",
    channels: 1,
    depth: "uchar",
    space: "b-w",
  });
  const { data, info } = await picture.toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, labels: data };
}

const readShares = async (file: string): Promise<Shares> =>
  JSON.parse(await readFile(file, "utf8")) as Shares;

describe("npm run predict", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let model: string;
  beforeAll(async () => {
    model = temporary("model.safetensors");
    await saveTinyModel(gpu(), model);
  });

  it("labels photos of all kinds and sizes, and goes on after one that is damaged", async () => {
    const kinds: Record<string, Sharp> = {
      "exact.png": photo(32, 32),
      "grey.tiff": photo(50, 20).greyscale(),
      "sidewise.jpg": photo(90, 40).withMetadata({ orientation: 6 }),
      "small.webp": photo(7, 5),
      "wide.avif": photo(200, 33).ensureAlpha(0.5),
    };
    const folder = await folderOf({ "photos/notes.txt": "no photo", "out/kept.txt": "mine" });
    const [photos, out] = [join(folder, "photos"), join(folder, "out")];
    for (const [name, picture] of Object.entries(kinds)) await picture.toFile(join(photos, name));
    await photo(60, 60).jpeg().toFile(join(photos, "broken.jpg"));
    await truncate(join(photos, "broken.jpg"), 300);
    // With the endings of its outputs, longer than a file system's 255 bytes.
    await photo(8, 8).toFile(join(photos, `${"é".repeat(121)}.png`));
    await writeFile(
      join(photos, "pointer.png"),
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    );
    await writeFile(join(out, "exact.mask.png"), "of an earlier time");

    const { code, errors, output } = await runCommandQuickly("predict", [
      ...["--model", model, "--images", photos, "--out", out, "--logits", "--batch-size", "2"],
    ]);
    const failures = errors.trim().split("\n");
    expect(failures[0]).toMatch(/broken\.jpg cannot be decoded/);
    expect(failures[1]).toMatch(/pointer\.png is a git-lfs pointer, not the file itself: run `git lfs pull`/);
    expect(failures[2]).toMatch(/é\.logits\.safetensors: the name is too long; choose a shorter one\.$/);
    expect(failures).toHaveLength(3);
    expect(code).toBe(1);
    expect(output).toContain(`Passed over in ${photos}: 1 .txt file\n`);
    expect(output).toContain("5 of 8 photos labelled");
    expect(output).toMatch(
      /\nSpeed: \d+\.\d+ photos a second, 5 in \d+\.\d s\. Of the stages decoding worked \d+ % /,
    );
    const stems = Object.keys(kinds).map((name) => name.split(".")[0]);
    const endings = ["json", "logits.safetensors", "mask.png", "overlay.png"];
    const expected = stems.flatMap((stem) => endings.map((ending) => `${stem}.${ending}`));
    expect((await readdir(out)).sort()).toEqual([...expected, "kept.txt"].sort());

    const sizes: Record<string, [number, number]> = {
      exact: [32, 32],
      grey: [50, 20],
      sidewise: [40, 90],
      small: [7, 5],
      wide: [200, 33],
    };
    for (const [stem, [width, height]] of Object.entries(sizes)) {
      const mask = await readMask(join(out, `${stem}.mask.png`));
      expect([mask.width, mask.height]).toEqual([width, height]);
      const shares = await readShares(join(out, `${stem}.json`));
      expect(shares).toMatchObject({ width, height, image_size: 32 });
      for (const { id, name, pixels, share } of shares.classes) {
        expect(name).toBe(TINY_CLASSES[id]);
        expect(pixels).toBe(mask.labels.filter((label) => label === id).length);
        expect(share).toBe(pixels / (width * height));
      }
      const pixels = shares.classes.map((share) => share.pixels);
      expect(pixels).toEqual([...pixels].sort((a, b) => b - a));
      expect(pixels.reduce((a, b) => a + b)).toBe(width * height);
      expect((await sharp(join(out, `${stem}.overlay.png`)).metadata()).format).toBe("png");
    }

    const { tensors } = await readSafetensors(join(out, "exact.logits.safetensors"));
    const { shape, data } = tensors.get("logits")!;
    expect([...tensors.keys()]).toEqual(["logits"]);
    expect(shape).toEqual([32, 32, TINY_CLASSES.length]);
    const { labels } = await readMask(join(out, "exact.mask.png"));
    labels.forEach((label, pixel) => {
      const values = [...data.subarray(pixel * TINY_CLASSES.length, (pixel + 1) * TINY_CLASSES.length)];
      expect(label).toBe(values.indexOf(Math.max(...values)));
    });
    expect(new Set(labels).size).toBeGreaterThan(1);
  });

  it("sees photos at their own size in windows and in several views, masks in colours", async () => {
    const folder = await folderOf();
    const image = join(folder, "wide.png");
    await photo(150, 70).toFile(image);
    const out = join(folder, "out");
    const { code, errors, output } = await runCommandQuickly("predict", [
      ...["--model", model, "--images", image, "--out", out, "--mask-png", "indexed"],
      ...["--window", "64x32", "--overlap", "0.5", "--tta", "scales,flips", "--outlines", "geojson,coco"],
      ...["--outputs", "json,mask"],
    ]);
    expect(errors).toBe("");
    expect(code).toBe(0);
    const seen = "at its own size, in windows of 64×32 that overlap by 50 %, in 6 views";
    expect(output).toContain(`\nSeen: ${seen}\n`);
    expect(await readShares(join(out, "wide.json"))).toMatchObject({ width: 150, height: 70, seen });
    const files = ["_annotations.coco.json", "wide.geojson", "wide.json", "wide.mask.png"];
    expect((await readdir(out)).sort()).toEqual(files);
    const file = join(out, "wide.mask.png");
    expect(await sharp(file).metadata()).toMatchObject({ isPalette: true, bitsPerSample: 8 });
    const { labels } = await decodeMask(file);
    expect(labels.length).toBe(150 * 70);
    expect(Math.max(...labels)).toBeLessThan(TINY_CLASSES.length);
    const { data } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(new Uint8Array(data)).toEqual(paintMask(labels));

    // The areas are those of the mask; "null" is background.
    const json = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(join(out, name), "utf8"));
    const coco = readCoco(await json("_annotations.coco.json"), "coco");
    expect(coco.labels).toEqual(TINY_CLASSES.slice(1));
    const painted = paintAnnotation(coco.photos[0], { width: 150, height: 70 }, (label) =>
      Math.max(0, TINY_CLASSES.indexOf(label ?? "")),
    );
    expect(painted).toEqual(labels);
    const { features } = (await json("wide.geojson")) as GeoJson;
    const { classes } = await readShares(join(out, "wide.json"));
    expect(features.map(({ properties }) => properties)).toEqual(
      classes.filter(({ id }) => id > 0).map(({ id, name, pixels }) => ({ id, name, pixels })),
    );
    for (const { properties, geometry } of features) {
      const rings = geometry.coordinates.flat();
      const corners = rings.flatMap((ring) =>
        ring.slice(1).map(([x, y], i) => ring[i][0] * y - x * ring[i][1]),
      );
      expect(corners.reduce((a, b) => a + b)).toBe(2 * properties.pixels);
    }
  });

  it("refuses what it cannot do in a sentence, before anything is written", async () => {
    const folder = await folderOf({ "photos/a.jpg": "", "photos/a.png": "" });
    const refused = async (args: string[], sentence: RegExp): Promise<void> => {
      const { code, errors } = await runCommandQuickly("predict", [...args, "--out", join(folder, "out")]);
      expect(errors.trim()).toMatch(sentence);
      expect(errors.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
      expect(await readdir(folder)).toEqual(["photos"]);
    };
    await refused(["--model", model, "--images", join(folder, "photos")], /would both be written to/);
    await refused(["--model", model, "--images", join(folder, "none")], /There is no photo or folder/);
    await refused(["--model", "nowhere", "--images", join(folder, "photos")], /There is no model nowhere/);
    const given = ["--model", model, "--images", join(folder, "photos", "a.jpg")];
    await refused([...given, "--window", "33"], /^--window must be a multiple of 32, .* \(it is 33\)\.$/);
    await refused([...given, "--window", "0"], /^--window must be a multiple of 32, .* \(it is 0\)\.$/);
    await refused([...given, "--window", "64x48"], /^--window must be .* 32, .* \(it is 64x48\)\.$/);
    for (const text of ["all", "96x", "-32", "6.4"])
      await refused(
        [...given, "--window", text],
        new RegExp(`"${text}" is neither a number of pixels nor height by width, such as 96x64, nor whole`),
      );
    await refused(
      [...given, "--overlap", "0.5"],
      /^--overlap is of windows, and there are none: give --window/,
    );
    await refused([...given, "--window", "64", "--overlap", "1"], /"1" is not from 0 to 0\.9/);
    await refused([...given, "--batch-size", "fast"], /"fast" is not a whole number above 0/);
    await refused([...given, "--outputs", "mask,pdf"], /"pdf" is none of mask, overlay, json/);
    await refused([...given, "--outlines", "svg"], /"svg" is none of geojson, coco/);
    await refused([...given, "--tta", "flips,spins"], /"spins" is none of flips, scales/);
    await refused([...given, "--tta", "flips", "--logits"], /leave --window and --tta out, or --logits\.$/);
    await refused(["--model", model], /^There are no photos to be labelled: give --images, or --list or/);
  });

  it("ends with 130 after Ctrl-C, with whole files only", async () => {
    const folder = await folderOf();
    const jpeg = await photo(64, 64).jpeg().toBuffer();
    for (let i = 0; i < 40; i++) await writeFile(join(folder, `p${i}.jpg`), jpeg);
    const out = join(folder, "out");
    let interrupted = false;
    const { code } = await runCommandLine("predict", ["--model", model, "--images", folder, "--out", out], {
      onOutput: (said, kill) => {
        if (said.includes("→") && !interrupted) {
          interrupted = true;
          kill("SIGINT");
        }
      },
    });
    expect(code).toBe(130);
    const files = await readdir(out);
    expect(files.filter((name) => name.startsWith("."))).toEqual([]);
    const done = files.filter((name) => name.endsWith(".json"));
    expect(done.length).toBeGreaterThan(0);
    expect(done.length).toBeLessThan(40);
    for (const name of done) await readShares(join(out, name));
  });
});
