import { writeFile } from "node:fs/promises";
import type { Dataset, Group } from "h5wasm/node";
import { File, ready } from "h5wasm/node";
import { beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import { h5Layers } from "../../src/weights/keras-h5-writer-layout.ts";
import { encodeKerasH5, splitNames } from "../../src/weights/keras-h5-writer.ts";
import { loadWeights } from "../../src/weights/load.ts";
import { writeModel } from "../../src/weights/write.ts";
import { bitsOf, float32 } from "./arbitrary-tensors.ts";
import { randomEncoder, randomUnet } from "./random-network.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
beforeAll(() => ready);

const listed = (group: Group, attribute: string): unknown => group.attrs[attribute].value;

/** Looks into a file with the HDF5 library itself. */
function open<T>(path: string, look: (file: File) => T): T {
  const file = new File(path, "r");
  try {
    return look(file);
  } finally {
    file.close();
  }
}

describe("a U-Net as .h5", () => {
  const weights = randomUnet(3, "transpose");
  const model = { tensors: weights, metadata: { image_size: "64", classes: '["a","b","ü"]' } };

  test("has the groups of the tutorial's model, each weight where load_weights takes it from, and comes back bit by bit", async () => {
    const path = inFolder("unet.h5");
    await writeModel(path, model);
    open(path, (file) => {
      expect(listed(file, "layer_names")).toEqual([
        ...["input_2", "model", "sequential", "concatenate", "sequential_1", "concatenate_1", "sequential_2"],
        ...["concatenate_2", "sequential_3", "concatenate_3", "conv2d_transpose_4"],
      ]);
      expect(listed(file, "backend")).toBe("tensorflow");
      expect(listed(file, "keras_version")).toMatch(/^2\./);
      expect(listed(file, "classes")).toBe('["a","b","ü"]');
      expect(file.attrs["layer_names"].metadata).toMatchObject({ vlen: true, cset: 0 });

      const encoder = listed(file.get("model") as Group, "weight_names") as string[];
      expect(encoder).toHaveLength(604);
      const moving = encoder.map((name) => /\/moving_(mean|variance):0$/.test(name));
      expect(moving.indexOf(true)).toBe(604 - 2 * 121);
      expect(moving.lastIndexOf(false)).toBe(604 - 2 * 121 - 1);
      expect(encoder.slice(0, 3)).toEqual(["conv1/conv/kernel:0", "conv1/bn/gamma:0", "conv1/bn/beta:0"]);
      expect(listed(file.get("sequential_1") as Group, "weight_names")).toEqual([
        "conv2d_transpose_1/kernel:0",
        ...["gamma", "beta", "moving_mean", "moving_variance"].map(
          (role) => `batch_normalization_1/${role}:0`,
        ),
      ]);
      expect(listed(file.get("concatenate") as Group, "weight_names")).toHaveLength(0);

      const stored = file.get("sequential_3/conv2d_transpose_3/kernel:0") as Dataset;
      const { shape, data } = weights.get("upsample_4/conv2d_transpose/kernel")!;
      expect(stored.shape).toEqual(shape);
      expect(Buffer.from((stored.value as Float32Array).buffer).equals(Buffer.from(data.buffer))).toBe(true);
    });
    const { tensors, metadata } = await loadWeights(path);
    expect(bitsOf(tensors)).toEqual(bitsOf(weights));
    expect(metadata).toMatchObject(model.metadata);
  });
});

describe("an encoder as .h5", () => {
  test("has a group a layer, as keras.applications, and comes back bit by bit", async () => {
    const weights = randomEncoder();
    const path = inFolder("encoder.h5");
    await writeModel(path, { tensors: weights, metadata: {} });
    open(path, (file) => {
      expect(listed(file, "layer_names")).toEqual([
        "input_1",
        ...DEFAULT_ENCODER.layers().map(({ name }) => name),
      ]);
      const roles = ["gamma", "beta", "moving_mean", "moving_variance"];
      expect(listed(file.get("conv1/bn") as Group, "weight_names")).toEqual(
        roles.map((role) => `conv1/bn/${role}:0`),
      );
    });
    expect(bitsOf((await loadWeights(path)).tensors)).toEqual(bitsOf(weights));
  });
});

describe("the parts", () => {
  test("repeated pixels and a convolution have groups of their own kind", () => {
    const layers = unetLayers({ classes: 3, decoder: "nearest" });
    const tensors = new Map(
      layers.flatMap(({ weights }) => weights.map(({ name }) => [name, float32([0])] as const)),
    );
    const groups = h5Layers({
      encoder: DEFAULT_ENCODER,
      layers,
      outputs: [],
      weights: tensors,
      metadata: {},
      imageSize: null,
    });
    expect(groups.slice(2, 5).map(({ name }) => name)).toEqual(["sequential", "concatenate", "sequential_1"]);
    expect(groups.slice(-2).map(({ name, weights }) => [name, weights.length])).toEqual([
      ["up_sampling2d_4", 0],
      ["conv2d_4", 2],
    ]);
    expect(groups[2].weights[0].name).toBe("conv2d/kernel:0");
  });

  test("a list of names that is too long is cut as NumPy's array_split cuts it", async () => {
    expect(splitNames(["a", "b"], 2)).toEqual([["a", "b"]]);
    expect(splitNames(["aaa", "b", "c", "d", "e"], 6)).toEqual([["aaa", "b"], ["c", "d"], ["e"]]);

    const long = "x".repeat(1000);
    const weights = Array.from({ length: 100 }, (_, i) => ({ name: `${long}${i}/w:0`, ...float32([1], i) }));
    await writeFile(inFolder("long.h5"), await encodeKerasH5([{ name: "layer", weights }], {}));
    open(inFolder("long.h5"), (file) => {
      const { attrs } = file.get("layer") as Group;
      expect(Object.keys(attrs)).toEqual(["weight_names0", "weight_names1"]);
      expect(attrs["weight_names0"].shape).toEqual([50]);
    });
    expect((await loadWeights(inFolder("long.h5"))).tensors.size).toBe(100);
  });
});
