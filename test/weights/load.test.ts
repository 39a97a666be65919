import { mkdir, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { assignWeights, loadWeights } from "../../src/weights/load.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { encodeSafetensors } from "../../src/weights/safetensors.ts";
import type { NamedTensors } from "../../src/weights/tensors.ts";
import { encoderNamed } from "../../src/layers/networks/encoders.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import { FileError } from "../../src/files/file-error.ts";
import { float32 } from "./arbitrary-tensors.ts";
import { randomWeights } from "./random-network.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
const weights: NamedTensors = new Map([
  ["conv/kernel", float32([1, 2], 1, 2)],
  ["conv/bias", float32([2], 3, 4)],
]);

describe("loadWeights", () => {
  test("safetensors", async () => {
    const path = inFolder("model.safetensors");
    await writeSafetensors(path, weights, { classes: "59" });
    expect(await loadWeights(path)).toEqual({
      format: "safetensors",
      metadata: { classes: "59" },
      tensors: weights,
      mapping: [],
      missing: [],
      unused: ["conv/bias", "conv/kernel"],
    });
  });

  test.each([
    ["mobilenetv2", {}],
    // Whatever it was trained with, its first layers want bytes.
    ["efficientnetb0", { normalization: "bytes" }],
  ])("a U-Net on %s that says nothing of itself", async (name, found) => {
    const path = inFolder(`${name}.safetensors`);
    const layers = unetLayers({ encoder: encoderNamed(name), classes: 2, decoder: "nearest" });
    await writeSafetensors(path, randomWeights(layers), {});
    const { metadata, encoder } = await loadWeights(path);
    expect(encoder?.name).toBe(name);
    expect(metadata).toEqual({ encoder: name, decoder: "nearest", ...found });
  });

  test("a tfjs folder, and its model.json", async () => {
    await mkdir(inFolder("tfjs"));
    const specs = [{ name: "conv/bias", shape: [2], dtype: "float32" }];
    const model = { weightsManifest: [{ paths: ["shard"], weights: specs }] };
    await writeFile(inFolder("tfjs/model.json"), JSON.stringify(model));
    await writeFile(inFolder("tfjs/shard"), new Uint8Array(Float32Array.of(3, 4).buffer));
    for (const path of [inFolder("tfjs"), inFolder("tfjs/model.json")]) {
      const { format, tensors } = await loadWeights(path);
      expect(format).toBe("tfjs");
      expect([...tensors]).toEqual([["conv/bias", float32([2], 3, 4)]]);
    }
  });

  test("nothing, an empty folder, a file of another kind, a damaged .h5", async () => {
    await mkdir(inFolder("empty"));
    await writeFile(inFolder("model.pt"), "PK");
    await writeFile(inFolder("broken.h5"), "PK");
    for (const [name, why] of [
      ["absent.h5", "there is no such file; check the path"],
      ["model.pt/x", "a part of the path is a file"],
      ["empty", "it has no model.json; give a folder with a tfjs model.json, a Keras .h5 or .keras file"],
      ["model.pt", "Cannot tell what weights model.pt holds"],
      ["broken.h5", "it is not an HDF5 file"],
    ] as const) {
      await expect(loadWeights(inFolder(name))).rejects.toThrow(FileError);
      await expect(loadWeights(inFolder(name))).rejects.toThrow(why);
    }
  });
});

describe("a file that is not what it seems", () => {
  const model = (json: object): string => JSON.stringify(json);
  test.each<[string, string | Uint8Array, string]>([
    [
      "pointer.h5",
      "version https://git-lfs.github.com/spec/v1\noid",
      "it is a git-lfs pointer, not the file itself; run",
    ],
    [
      "page.safetensors",
      "<!DOCTYPE html><html>",
      "it is a web page, as a failed download leaves it; download",
    ],
    [
      "old.pth",
      Uint8Array.of(0x80, 2, 0x8a, 10),
      "it is a PyTorch pickle; save its weights as safetensors, in Python",
    ],
    ["model.h5", Uint8Array.of(0x1f, 0x8b, 8, 0), "it is compressed with gzip; unpack it"],
    ["unet.onnx", Uint8Array.of(8, 9, 0x12, 3), "it is an ONNX model, which is written here and not read"],
    ["unet.tflite", Buffer.from("\x1c\0\0\0TFL3"), "it is a TensorFlow Lite model"],
    [
      "mask.keras",
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
      "it is a PNG picture; give the file that was meant",
    ],
    [
      "x.weights.json",
      model({ metadata: {}, weight_map: {} }),
      "it is the index of weights that were saved in several files",
    ],
    [
      "config.json",
      model({ class_name: "Functional", config: {} }),
      "it is the description of a Keras model without its weights",
    ],
  ])("%s", async (name, bytes, why) => {
    await writeFile(inFolder(name), bytes);
    await expect(loadWeights(inFolder(name))).rejects.toThrow(FileError);
    await expect(loadWeights(inFolder(name))).rejects.toThrow(why);
  });

  test("a pointer in place of a tfjs shard, and a SavedModel's folder", async () => {
    await mkdir(inFolder("lfs"));
    const specs = [{ name: "conv/bias", shape: [2], dtype: "float32" }];
    const json = model({ weightsManifest: [{ paths: ["shard"], weights: specs }] });
    await writeFile(inFolder("lfs/model.json"), json);
    await writeFile(inFolder("lfs/shard"), "version https://git-lfs.github.com/spec/v1\noid");
    await expect(loadWeights(inFolder("lfs"))).rejects.toThrow(
      `${inFolder("lfs/shard")}: it is a git-lfs pointer`,
    );
    await mkdir(inFolder("saved"));
    await writeFile(inFolder("saved/saved_model.pb"), "");
    await expect(loadWeights(inFolder("saved"))).rejects.toThrow(
      "it is a TensorFlow SavedModel; load it in Python",
    );
    await mkdir(inFolder("train-1/checkpoints"), { recursive: true });
    await expect(loadWeights(inFolder("train-1"))).rejects.toThrow(
      `it is a run; give one of its checkpoints, ${inFolder("train-1/checkpoints/best.safetensors")} for example.`,
    );
  });

  test("safetensors of any header and name are safetensors", async () => {
    for (const length of [0x0380, 0x120908]) {
      const padding = "x".repeat(length - 31);
      const bytes = encodeSafetensors(new Map(), { padding });
      await writeFile(inFolder("odd.h5"), bytes);
      expect(new DataView(bytes.buffer).getUint32(0, true)).toBe(length);
      expect((await loadWeights(inFolder("odd.h5"))).metadata).toEqual({ padding });
    }
  });
});

test.each([
  [1, "has one output for each pixel, as a network that ends with a sigmoid"],
  [0, "has no outputs, so it labels nothing"],
])("a U-Net of %i outputs is refused", async (outputs, why) => {
  const path = inFolder(`${outputs}.safetensors`);
  await writeSafetensors(
    path,
    new Map([["head/bias", float32([outputs], ...Array<number>(outputs).fill(0))]]),
  );
  await expect(loadWeights(path)).rejects.toThrow(why);
});

describe("assignWeights", () => {
  const expected = [
    { name: "conv/bias", shape: [2] },
    { name: "conv/kernel", shape: [1, 2] },
  ];
  const source = "model.h5";

  test("every expected weight is found, the others are told", () => {
    const tensors: NamedTensors = new Map([["fc/bias", float32([1], 0)], ...weights]);
    const { assigned, missing, unused } = assignWeights(expected, tensors, { source });
    expect([...assigned.keys()]).toEqual(["conv/bias", "conv/kernel"]);
    expect(assigned.get("conv/bias")).toBe(weights.get("conv/bias"));
    expect(missing).toEqual([]);
    expect(unused).toEqual(["fc/bias"]);
  });

  test("a missing tensor is named", () => {
    const more = [
      ...expected,
      { name: "head/kernel", shape: [3, 3, 59, 64] },
      { name: "head/bias", shape: [59] },
    ];
    expect(() => assignWeights(more, weights, { source })).toThrow(
      'The weights file model.h5 has no tensor "head/kernel" (expected shape [3, 3, 59, 64]), ' +
        "and 1 more of 4 do not fit; use weights saved from the same network.",
    );
    const { missing } = assignWeights(more, weights, {
      source,
      allowMissing: (name) => name.startsWith("head/"),
    });
    expect(missing).toEqual(["head/kernel", "head/bias"]);
  });

  test("a misshapen tensor is named, even where it may be missing", () => {
    const wrong = [{ name: "conv/kernel", shape: [2, 1] }];
    expect(() => assignWeights(wrong, weights, { source, allowMissing: () => true })).toThrow(
      'its tensor "conv/kernel" has shape [1, 2] where [2, 1] is expected',
    );
  });

  test("integers are no weights", () => {
    const tensors: NamedTensors = new Map([["conv/bias", { shape: [2], data: Int32Array.of(1, 2) }]]);
    expect(() => assignWeights([expected[0]], tensors, { source })).toThrow("holds integers where float32");
  });

  test("weights of another network show what they are called", () => {
    const tensors: NamedTensors = new Map([["features.conv0.weight", float32([1], 0)]]);
    expect(() => assignWeights(expected, tensors, { source })).toThrow('is called "features.conv0.weight"');
  });
});
