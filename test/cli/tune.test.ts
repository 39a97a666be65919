import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { parseContribution } from "../../src/graph/autotune/contribution.ts";
import { productGroups } from "../../src/graph/autotune/products.ts";
import { formatRecord } from "../../src/graph/autotune/record.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { matrixKernelsDigest } from "../../src/kernels/conv2d/digest.ts";
import { describeTile } from "../../src/kernels/conv2d/tiles.ts";
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import { autotuneFile, TUNING_FOLDER } from "../../src/train/autotune.ts";
import { evaluator, trainingStep } from "../../src/train/phase/programs.ts";
import { useGpu } from "../helpers/gpu.ts";
import { folderOf } from "../data/folder.ts";
import { runCommandQuickly } from "./command-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const SMALL = ["--size", "32", "--batch", "1"];

describe("npm run tune", () => {
  const gpu = useGpu();

  it("says what products take, keeps it and writes a file that can be read again", async () => {
    const folder = await folderOf();
    const file = join(folder, "new", "tiles.json");
    const spec = {
      ...{ batchSize: 1, imageSize: 32, classes: 59, encoder: DEFAULT_ENCODER, precision: "f32" as const },
      ...{ optimizer: "rmsprop" as const, clipNorm: null, weighted: false },
    };
    const target = kernelTarget(gpu());
    const groups = productGroups([evaluator(spec), trainingStep(spec, "finetune")], target);
    // All but the first as if they had been timed before: the last tile is quicker.
    const known = groups.slice(1).map(({ name, candidates }) => {
      const measurements = candidates.map(({ tile }, i) => ({ tile, milliseconds: [candidates.length - i] }));
      return [name, { winner: candidates.at(-1)!.tile, measurements }] as const;
    });
    const { vendor, architecture, device, description } = gpu().info;
    const identity = {
      adapter: [vendor, architecture, device].join(" "),
      driver: description,
      kernels: await matrixKernelsDigest(target),
    };
    await autotuneFile(gpu(), join(folder, TUNING_FOLDER), () => {}).write(
      formatRecord(identity, new Map(known)),
    );
    const { code, output, errors } = await runCommandQuickly("tune", [...SMALL, "--export", file], {
      cwd: folder,
    });
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(output).toMatch(/^Adapter: .* \(software\)\nDefault tiles: not measured\nStep: DenseNet121, /);
    expect(output).toContain(`\n${groups.length} of ${groups.length} kinds of products timed: `);
    const [{ name, candidates }] = groups.slice(1);
    const line = output.split("\n").find((text) => text.startsWith(name))!;
    expect(line).toContain(describeTile(candidates.at(-1)!.tile));
    expect(line).toMatch(/ 1\.00 ms +\d+\.00×$/);
    const contribution = parseContribution(await readFile(file, "utf8"));
    if (typeof contribution === "string") expect.fail(contribution);
    expect(contribution).toMatchObject({ family: "software", source: "card", adapter: gpu().adapterName });
    expect(contribution.products).toHaveLength(groups.length);
    const [, kept] = /Kept for training in (.*\.json)/.exec(output)!;
    expect(
      Object.keys((JSON.parse(await readFile(join(folder, kept), "utf8")) as { products: object }).products),
    ).toHaveLength(groups.length);
  });

  it("says in a sentence what it cannot do", async () => {
    const refused = async (args: string[], sentence: RegExp): Promise<void> => {
      const { code, errors } = await runCommandQuickly("tune", args);
      expect(errors.trim()).toMatch(sentence);
      expect(errors.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
    };
    await refused(["--size", "50"], /^--size must be a multiple of 32.*\(it is 50\)\.$/);
    await refused(["--precision", "bf16"], /WGSL, .* has no bf16\.$/);
    await refused(["--encoder", "vgg16"], /vgg16/);
    const file = join(await folderOf({ "a.txt": "" }), "a.txt", "tiles.json");
    await refused([...SMALL, "--export", file], /--export/);
  });
});
