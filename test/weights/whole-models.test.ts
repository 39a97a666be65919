/**
 * @file Whole U-Nets of 16 million numbers in the files of the tutorial's script. What Keras writes is made by hand here:
 * the matching is tested on names and shapes in `match/match.test.ts`, and this is that the numbers arrive.
 */
import { readFile, writeFile } from "node:fs/promises";
import { ready } from "h5wasm/node";
import { beforeAll, describe, expect, test } from "vitest";
import { loadWeights } from "../../src/weights/load.ts";
import type { NamedTensors } from "../../src/weights/tensors.ts";
import { legacyWeights, numbersFor, scriptLayers, writeCountedH5, writeLegacyH5 } from "./keras-models.ts";
import { kerasConfig } from "./keras-configs.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { zipArchive } from "./zip-archive.ts";

const inFolder = temporaryFolder();
const LAYERS = scriptLayers(2);
let numbers: NamedTensors;
beforeAll(async () => {
  await ready;
  numbers = numbersFor(LAYERS.map(({ layer }) => layer));
});

function expectNumbers(tensors: NamedTensors): void {
  expect(tensors.size).toBe(numbers.size);
  for (const [name, { shape, data }] of numbers) {
    const found = tensors.get(name);
    expect(found?.shape, name).toEqual(shape);
    const bytes = Buffer.from(found!.data.buffer, found!.data.byteOffset, found!.data.byteLength);
    expect(bytes.equals(Buffer.from(data.buffer)), name).toBe(true);
  }
}

describe("the numbers of the tutorial's model arrive bit by bit", () => {
  test('model.save("x.h5") of Keras 2', async () => {
    const path = inFolder("model.h5");
    writeLegacyH5(path, legacyWeights(LAYERS), numbers, {
      config: kerasConfig(LAYERS, 2),
      layerNames: ["input_2", ...new Set(LAYERS.map(({ outer }) => outer))],
    });
    const { tensors, format, metadata, missing, unused } = await loadWeights(path);
    expectNumbers(tensors);
    expect({ format, metadata, missing, unused }).toEqual({
      format: "keras-h5",
      metadata: { backend: "tensorflow", keras_version: "2.15.0", encoder: "densenet121" },
      missing: [],
      unused: [],
    });
  });

  test('model.save("x.keras") of Keras 3', async () => {
    const layers = scriptLayers(3);
    const weights = inFolder("model.weights.h5");
    writeCountedH5(weights, layers, numbers);
    const path = inFolder("model.keras");
    const json = (value: object) => Buffer.from(JSON.stringify(value));
    await writeFile(
      path,
      zipArchive([
        { name: "metadata.json", bytes: json({ keras_version: "3.3.3" }) },
        { name: "config.json", bytes: json(kerasConfig(layers, 3)), deflate: true },
        { name: "model.weights.h5", bytes: await readFile(weights) },
      ]),
    );
    const { tensors, format, metadata } = await loadWeights(path);
    expectNumbers(tensors);
    expect({ format, metadata }).toEqual({
      format: "keras",
      metadata: { keras_version: "3.3.3", encoder: "densenet121" },
    });
  });
});
