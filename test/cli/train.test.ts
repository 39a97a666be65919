import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseHistory } from "../../src/train/history.ts";
import type { Summary } from "../../src/train/summary.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";

const ENTRY = new URL("../../src/cli/train.ts", import.meta.url).pathname;
const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

/** Runs the command in `folder`; `onOutput` sees what it has said so far and may end it. */
function train(
  folder: string,
  args: string[],
  {
    env = {},
    onOutput,
  }: {
    env?: NodeJS.ProcessEnv;
    onOutput?: (said: string, kill: (signal: NodeJS.Signals) => void) => void;
  } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", TSX, ENTRY, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    const ended: Ended = { code: null, output: "", errors: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      ended.output += chunk.toString();
      onOutput?.(ended.output, (signal) => child.kill(signal));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      ended.errors += chunk.toString();
    });
    child.on("error", reject);
    // What Dawn's native code remarks is not ours.
    const ours = (): string => ended.errors.replace(/^(Warning: | {4}at ).*\n+/gm, "");
    child.on("close", (code) => resolve({ ...ended, errors: ours(), code }));
  });
}

const TINY = [
  "--image-size",
  "32",
  "--batch-size",
  "2",
  "--epochs-frozen",
  "1",
  "--epochs-finetune",
  "1",
  "--steps-per-epoch",
  "1",
  "--validation-photos",
  "4",
];

describe("npm run train", () => {
  let root: string;
  let folder: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "bespoke-train-"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  beforeEach(async () => {
    folder = await mkdtemp(join(root, "case-"));
  });

  /** Six photos of 40×60 with masks of three classes. */
  async function photos(): Promise<string> {
    const data = join(folder, "data");
    await mkdir(join(data, "images"), { recursive: true });
    await mkdir(join(data, "masks"));
    for (let i = 0; i < 6; i++) {
      const raw = (channels: 1 | 3, value: (pixel: number) => number): Sharp =>
        sharp(
          Uint8Array.from({ length: 40 * 60 * channels }, (_, at) => value(at)),
          { raw: { width: 40, height: 60, channels } },
        );
      await raw(3, (at) => (at * 7 + i * 31) % 256)
        .jpeg()
        .toFile(join(data, "images", `photo${i}.jpg`));
      await raw(1, (at) => (at * 3) % 59)
        .toColourspace("b-w")
        .png()
        .toFile(join(data, "masks", `photo${i}.png`));
    }
    return data;
  }

  async function refused(args: string[], sentence: RegExp, env?: NodeJS.ProcessEnv): Promise<void> {
    const before = (await readdir(folder)).sort();
    const { code, errors } = await train(folder, [...args, "--out", "run"], { env });
    expect(errors.trim()).toMatch(sentence);
    expect(errors.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(before);
  }

  it("makes a complete run from no files at all", async () => {
    const { code, output, errors } = await train(folder, [...TINY, "--seed", "1"]);
    expect(errors).toBe("");
    expect(code).toBe(0);
    const run = join(folder, "runs", "train-1");
    const files = ["config.json", "environment.json", "history.csv", "summary.json"];
    expect((await readdir(run)).sort()).toEqual(
      ["checkpoints", ...files.slice(0, 2), "figures", ...files.slice(2)].sort(),
    );
    expect((await readdir(join(run, "checkpoints"))).sort()).toEqual([
      "best.safetensors",
      "last.safetensors",
    ]);
    expect((await readdir(join(run, "figures"))).sort()).toEqual(["curves.png", "predictions.png"]);
    for (const name of ["curves", "predictions"]) {
      expect((await sharp(join(run, "figures", `${name}.png`)).metadata()).width).toBeGreaterThan(300);
    }
    const history = parseHistory(await readFile(join(run, "history.csv"), "utf8"));
    expect(history.map(({ epoch, phase }) => [epoch, phase])).toEqual([
      [1, "frozen"],
      [2, "finetune"],
    ]);
    const summary = JSON.parse(await readFile(join(run, "summary.json"), "utf8")) as Summary;
    expect(summary).toMatchObject({ steps: 2, epochs: 2, validation_photos: 4 });
    expect(summary.val_accuracy).toBeCloseTo(history[1].valAccuracy, 6);
    expect(summary.pipelines).toBeLessThanOrEqual(64);
    expect(summary.peak_bytes).toBeGreaterThan(summary.planned_peak_bytes);
    expect(output).toContain("Epoch 2/2 (fine-tuning)");

    const { tensors, metadata } = await readSafetensors(join(run, "checkpoints", "last.safetensors"));
    expect(tensors.get("head/kernel")?.shape).toEqual([3, 3, 59, 128]);
    expect([...tensors.keys()].filter((name) => name.includes("rmsprop"))).toEqual([]);
    expect(metadata).toMatchObject({ epoch: "2", image_size: "32" });
  });

  it("begins from a checkpoint of its own, and names the tensor of one that does not fit", async () => {
    await photos();
    const tiny = ["--data", "data", ...TINY];
    expect((await train(folder, [...tiny, "--out", "first"])).code).toBe(0);
    const checkpoint = join(folder, "first", "checkpoints", "last.safetensors");
    expect((await train(folder, [...tiny, "--out", "second", "--weights", checkpoint])).code).toBe(0);

    const { tensors, metadata } = await readSafetensors(checkpoint);
    const wrong = join(folder, "wrong.safetensors");
    const kernel = tensors.get("conv1/conv/kernel")!;
    tensors.set("conv1/conv/kernel", { ...kernel, shape: [...kernel.shape].reverse() });
    await writeSafetensors(wrong, tensors, metadata);
    await refused(
      [...tiny, "--weights", wrong],
      /"conv1\/conv\/kernel" has shape \[64, 3, 7, 7\] where \[7, 7, 3, 64\] is expected/,
    );
    tensors.delete("conv1/conv/kernel");
    await writeSafetensors(wrong, tensors, metadata);
    await refused([...tiny, "--weights", wrong], /has no tensor "conv1\/conv\/kernel"/);
    await refused([...tiny, "--weights", "nowhere"], /nowhere/);
  });

  it("keeps the weights when it is interrupted", async () => {
    const long = [
      "--image-size",
      "32",
      "--batch-size",
      "2",
      "--steps-per-epoch",
      "1",
      "--epochs-frozen",
      "500",
    ];
    const { code, output } = await train(folder, [...long, "--out", "run"], {
      onOutput: (said, kill) => {
        if (said.includes("Epoch 1/") && !said.includes("Epoch 2/")) kill("SIGINT");
      },
    });
    expect(code).toBe(130);
    expect(output).toContain(
      `Stopped; the weights so far are in ${join("run", "checkpoints", "last.safetensors")}`,
    );
    expect(
      (await readSafetensors(join(folder, "run", "checkpoints", "last.safetensors"))).tensors.size,
    ).toBeGreaterThan(600);
    const epochs = parseHistory(await readFile(join(folder, "run", "history.csv"), "utf8"));
    expect(epochs.length).toBeLessThan(20);
  });

  it("refuses flags that cannot be used", async () => {
    await refused(["--image-size", "50"], /^--image-size must be a multiple of 32.* \(it is 50\)\.$/);
    await refused(["--batch-size", "0"], /^--batch-size must be at least 1/);
  });

  it("refuses an output folder that is not empty or cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    const { code, errors } = await train(folder, [...TINY, "--out", join("file", "run")]);
    expect([code, errors.trim()]).toEqual([
      1,
      expect.stringMatching(/cannot be written: a part of the path is a file/),
    ]);
    await mkdir(join(folder, "run"));
    await writeFile(join(folder, "run", "mine"), "");
    await refused(TINY, /The output folder run is not empty/);
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

    it("no such folder", () => refused(["--data", "nowhere", ...TINY], /nowhere/));

    it("an image without a mask, and the reverse", async () => {
      const data = await photos();
      await rm(join(data, "masks", "photo3.png"));
      await refused(tiny, /photo3\.jpg.*mask/);
      await rm(join(data, "images", "photo3.jpg"));
      await cp(join(data, "masks", "photo1.png"), join(data, "masks", "photo9.png"));
      await refused(tiny, /photo9\.png/);
    });

    it("a truncated PNG", async () => {
      const data = await photos();
      await truncate(join(data, "masks", "photo2.png"), 100);
      await refused(tiny, /photo2\.png/);
    });

    it("a mask with class 200", async () => {
      const data = await photos();
      const mask = sharp(new Uint8Array(40 * 60).fill(200), { raw: { width: 40, height: 60, channels: 1 } });
      await mask
        .toColourspace("b-w")
        .png()
        .toFile(join(data, "masks", "photo4.png"));
      await refused(tiny, /photo4\.png.*200/);
    });

    it("a mask of another size than its photo", async () => {
      const data = await photos();
      const mask = sharp(new Uint8Array(30 * 60), { raw: { width: 30, height: 60, channels: 1 } });
      await mask
        .toColourspace("b-w")
        .png()
        .toFile(join(data, "masks", "photo5.png"));
      await refused(tiny, /photo5\.png.*30×60.*40×60|photo5.*40×60.*30×60/);
    });
  });
});
