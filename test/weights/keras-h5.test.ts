import { readFile, writeFile } from "node:fs/promises";
import { File, ready, type Group } from "h5wasm/node";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { readKerasH5 } from "../../src/weights/keras-h5-file.ts";
import type { HostTensor } from "../../src/weights/tensors.ts";
import { FileError } from "../../src/files/file-error.ts";
import { float32 } from "./arbitrary-tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
beforeAll(() => ready);

/** A layer's weights as Keras stores them: names as in `weight_names`, relative to the layer's group. */
type Layers = Record<string, Record<string, HostTensor>>;

function createGroups(root: Group, path: string): void {
  const parts = path.split("/").slice(0, -1);
  parts.forEach((_, i) => {
    const group = parts.slice(0, i + 1).join("/");
    if (root.get(group) === null) root.create_group(group);
  });
}

function writeLayers(root: Group, layers: Layers, chunked = false): void {
  root.create_attribute("layer_names", Object.keys(layers));
  root.create_attribute("backend", "tensorflow");
  for (const [layer, weights] of Object.entries(layers)) {
    createGroups(root, `${layer}/`);
    const group = root.get(layer) as Group;
    const names = Object.keys(weights);
    if (chunked) names.forEach((name, i) => group.create_attribute(`weight_names${i}`, [name]));
    else if (names.length > 0) group.create_attribute("weight_names", names);
    for (const [name, { shape, data }] of Object.entries(weights)) {
      createGroups(group, name);
      group.create_dataset({ name, data, shape: [...shape] });
    }
  }
}

function writeH5(name: string, fill: (file: File) => void): string {
  const path = inFolder(name);
  const file = new File(path, "w");
  fill(file);
  file.close();
  return path;
}

const layers: Layers = {
  input_1: {},
  "conv1/conv": { "conv1/conv/kernel:0": float32([1, 2], 1, 2) },
  "conv1/bn": { "conv1/bn/gamma:0": float32([2], 3, 4), "conv1/bn/beta:0": float32([2], 5, 6) },
  dense: { kernel: float32([], 7), steps: { shape: [1], data: Int32Array.of(-8) } },
};
const expected = [
  ["conv1/conv/kernel", float32([1, 2], 1, 2)],
  ["conv1/bn/gamma", float32([2], 3, 4)],
  ["conv1/bn/beta", float32([2], 5, 6)],
  ["dense/kernel", float32([], 7)],
  ["dense/steps", { shape: [1], data: Int32Array.of(-8) }],
];

describe("readKerasH5", () => {
  test("a weights file", async () => {
    const path = writeH5("weights.h5", (file) => writeLayers(file, layers));
    const { tensors, metadata } = await readKerasH5(path);
    expect([...tensors]).toEqual(expected);
    expect(metadata).toEqual({ backend: "tensorflow" });
  });

  test("a signal ends it, before and while the library works", async () => {
    const path = writeH5("stopped.h5", (file) => writeLayers(file, layers));
    await expect(readKerasH5(path, { signal: AbortSignal.abort(new Error("Before.")) })).rejects.toThrow(
      "Before.",
    );
    const controller = new AbortController();
    const reading = readKerasH5(path, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("Interrupted.")), 20);
    await expect(reading).rejects.toThrow("Interrupted.");
  });

  test("a whole model, whose optimizer is left alone", async () => {
    const path = writeH5("model.h5", (file) => {
      writeLayers(file.create_group("model_weights"), layers);
      file.create_group("optimizer_weights").create_dataset({ name: "m", data: new Float32Array(3) });
    });
    expect([...(await readKerasH5(path)).tensors]).toEqual(expected);
  });

  test("a list of names that Keras had to cut into several attributes", async () => {
    const path = writeH5("chunked.h5", (file) => writeLayers(file, layers, true));
    expect([...(await readKerasH5(path)).tensors]).toEqual(expected);
  });

  test("a file without Keras's attributes is read by its paths", async () => {
    const path = writeH5("plain.h5", (file) => {
      createGroups(file, "bn/bn/gamma:0");
      (file.get("bn/bn") as Group).create_dataset({ name: "gamma:0", data: Float32Array.of(1) });
    });
    expect([...(await readKerasH5(path)).tensors.keys()]).toEqual(["bn/gamma"]);
  });

  test("compressed weights", async () => {
    const data = Float32Array.from({ length: 64 }, (_, i) => i % 3);
    const path = writeH5("gzip.h5", (file) => {
      file.create_dataset({ name: "w", data, shape: [64], chunks: [64], compression: "gzip" });
    });
    expect((await readKerasH5(path)).tensors.get("w")!.data).toEqual(data);
  });
});

describe("what readKerasH5 refuses", () => {
  test.each<[string, (file: File) => void, string]>([
    [
      "64-bit floats",
      (file) => file.create_dataset({ name: "w", data: Float64Array.of(1) }),
      '"/w" does not hold little-endian 32-bit numbers',
    ],
    [
      "a data set far larger than its file",
      (file) =>
        file
          .create_dataset({ name: "w", data: new Float32Array(1), shape: [1], maxshape: [null], chunks: [1] })
          .resize([2 ** 28]),
      '"/w" of shape [268435456] claims more bytes than the file can hold',
    ],
    [
      "a layer without a group",
      (file) => file.create_attribute("layer_names", ["conv1"]),
      'its layer "conv1" is missing',
    ],
    [
      "a weight without a data set",
      (file) => {
        file.create_attribute("layer_names", ["conv1"]);
        file.create_group("conv1").create_attribute("weight_names", ["conv1/kernel:0"]);
      },
      'the weight "conv1/kernel:0" of its layer "conv1" is missing',
    ],
    [
      "a weight in another file",
      (file) => {
        file.create_attribute("layer_names", ["conv1"]);
        const group = file.create_group("conv1");
        group.create_attribute("weight_names", ["kernel"]);
        group.create_external_link("weights.h5", "/dense/kernel", "kernel");
      },
      'the weight "kernel" of its layer "conv1" is missing',
    ],
  ])("%s", async (kind, fill, why) => {
    const path = writeH5(`${kind.replaceAll(" ", "-")}.h5`, fill);
    const error: unknown = await readKerasH5(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(why);
  });

  test("a truncated file, another file, an empty one, none", async () => {
    const whole = await readFile(writeH5("whole.h5", (file) => writeLayers(file, layers)));
    await writeFile(inFolder("cut.h5"), whole.subarray(0, whole.length / 2));
    await writeFile(inFolder("text.h5"), "<html>404 not found</html>");
    await writeFile(inFolder("empty.h5"), "");
    await expect(readKerasH5(inFolder("cut.h5"))).rejects.toThrow("it is truncated or damaged; copy or save");
    await expect(readKerasH5(inFolder("text.h5"))).rejects.toThrow("it is not an HDF5 file");
    await expect(readKerasH5(inFolder("empty.h5"))).rejects.toThrow("it is not an HDF5 file");
    await expect(readKerasH5(inFolder("none.h5"))).rejects.toThrow("there is no such file");
  });

  test("a file that the library does not come to an end with", async () => {
    const path = writeH5("endless.h5", (file) => writeLayers(file, layers));
    await expect(readKerasH5(path, { patience: 1 })).rejects.toThrow("does not come to an end with it");
  });

  test("any mutation of a file gives weights or one clear sentence", async () => {
    const whole = await readFile(writeH5("fuzz.h5", (file) => writeLayers(file, layers)));
    const edit = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), async (edits) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte } of edits) bytes[at] = byte;
        const path = inFolder("mutated.h5");
        await writeFile(path, bytes);
        const result: unknown = await readKerasH5(path, { patience: 5000 }).catch(
          (thrown: unknown) => thrown,
        );
        if (!(result instanceof Error)) return;
        expect(result).toBeInstanceOf(FileError);
        expect(result.message).toMatch(/^Cannot read .{1,700}\.$/);
      }),
      // Each run starts a thread and the library in it, half a second.
      { numRuns: 15, endOnFailure: true },
    );
  });
});
