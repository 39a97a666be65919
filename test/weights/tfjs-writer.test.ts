import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import { loadWeights } from "../../src/weights/load.ts";
import { modelFiles } from "../../src/weights/tfjs-writer.ts";
import { writeModel } from "../../src/weights/write.ts";
import type { WrittenNetwork } from "../../src/weights/written-network.ts";
import { float32 } from "./arbitrary-tensors.ts";
import { checksums, randomEncoder } from "./random-network.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const { BESPOKE_WEIGHTS: imagenet = "" } = process.env;
if (!imagenet) console.log("No real tfjs weights: BESPOKE_WEIGHTS is not set, their test is skipped.");

const inFolder = temporaryFolder();

/** A checksum of every file. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort()) {
    const bytes = await readFile(join(folder, name));
    sums[name] = createHash("sha256").update(bytes).digest("hex");
  }
  return sums;
}

describe("a tfjs layers model", () => {
  test("read here and written again is the same, byte by byte", async () => {
    const tensors = randomEncoder();
    const metadata = { image_size: "64", normalization: "imagenet" };
    const [first, second] = [inFolder("first"), inFolder("second")];
    await writeModel(join(first, "model.json"), { tensors, metadata });
    const read = await loadWeights(first);
    expect(checksums(read.tensors)).toEqual(checksums(tensors));
    expect(read.metadata).toMatchObject(metadata);
    await writeModel(second, read);
    expect(await filesOf(second)).toEqual(await filesOf(first));

    const shards = (await readdir(first)).filter((name) => name !== "model.json");
    const sizes = await Promise.all(shards.map(async (name) => (await stat(join(first, name))).size));
    expect(shards).toHaveLength(7);
    expect(sizes.filter((size) => size === 4 * 2 ** 20)).toHaveLength(6);
  });

  test("replaces only a model, and only when told to", async () => {
    const model = { tensors: randomEncoder(), metadata: {} };
    const folder = inFolder("taken");
    await writeModel(folder, model);
    await expect(writeModel(folder, model)).rejects.toThrow("the folder is not empty");
    await writeModel(folder, model, { force: true });
    await expect(writeModel(inFolder("."), model, { force: true })).rejects.toThrow("holds other files");
  });

  test.skipIf(!imagenet)("the one with ImageNet's weights keeps all 606 of them", async () => {
    const original = await loadWeights(imagenet);
    await writeModel(inFolder("imagenet"), original);
    const again = await loadWeights(inFolder("imagenet"));
    expect(again.tensors.size).toBe(606);
    expect(checksums(again.tensors)).toEqual(checksums(original.tensors));
  });
});

describe("modelFiles", () => {
  test("cuts shards through weights, and lists them in order", () => {
    const weights = new Map([
      ["a/kernel", float32([1, 3], 1, 2, 3)],
      ["b/bias", float32([2], 4, 5)],
    ]);
    const network: WrittenNetwork = {
      encoder: DEFAULT_ENCODER,
      layers: [],
      outputs: [],
      weights,
      metadata: {},
      imageSize: null,
    };
    const files = new Map(
      [...modelFiles(network, 8)].map(([name, chunks]) => [name, Buffer.concat([...chunks])]),
    );
    const json = JSON.parse(files.get("model.json")!.toString()) as { weightsManifest: unknown };
    const paths = [1, 2, 3].map((i) => `group1-shard${i}of3.bin`);
    expect(json.weightsManifest).toEqual([
      {
        paths,
        weights: [
          { name: "a/kernel", shape: [1, 3], dtype: "float32" },
          { name: "b/bias", shape: [2], dtype: "float32" },
        ],
      },
    ]);
    expect(paths.map((path) => files.get(path)!.length)).toEqual([8, 8, 4]);
    const bytes = Buffer.concat(paths.map((path) => files.get(path)!));
    expect(bytes).toEqual(Buffer.from(Float32Array.of(1, 2, 3, 4, 5).buffer));
  });
});
