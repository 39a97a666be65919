/**
 * @file The real DenseNet121 weights: the tfjs folder at BESPOKE_WEIGHTS, the Keras file at BESPOKE_WEIGHTS_H5.
 */
import { describe, expect, test } from "vitest";
import { loadWeights } from "../../src/weights/load.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { bitsOf } from "./arbitrary-tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const { BESPOKE_WEIGHTS: tfjs = "", BESPOKE_WEIGHTS_H5: h5 = "" } = process.env;
if (!tfjs) console.log("No real tfjs weights: BESPOKE_WEIGHTS is not set, their tests are skipped.");
if (!h5) console.log("No real .h5 weights: BESPOKE_WEIGHTS_H5 is not set, their tests are skipped.");

const inFolder = temporaryFolder();
const SAMPLES: [string, number[]][] = [
  ["conv1/conv/kernel", [7, 7, 3, 64]],
  ["conv1/bn/gamma", [64]],
  ["conv2_block1_0_bn/moving_mean", [64]],
  ["conv2_block1_1_conv/kernel", [1, 1, 64, 128]],
  ["conv5_block16_2_conv/kernel", [3, 3, 128, 32]],
  ["pool4_conv/kernel", [1, 1, 1024, 512]],
  ["bn/moving_variance", [1024]],
];

describe.skipIf(!tfjs)("DenseNet121 from tfjs", () => {
  test("has its 606 weights, by Keras's names, and survives safetensors bit by bit", async () => {
    const { tensors, format } = await loadWeights(tfjs);
    expect(format).toBe("tfjs");
    expect(tensors.size).toBe(606);
    for (const [name, shape] of SAMPLES) expect(tensors.get(name)?.shape, name).toEqual(shape);
    expect(tensors.get("fc1000/kernel")?.shape).toEqual([1024, 1000]);

    const path = inFolder("densenet121.safetensors");
    await writeSafetensors(path, tensors);
    expect(bitsOf((await readSafetensors(path)).tensors)).toEqual(bitsOf(tensors));
  });
});

describe.skipIf(!h5)("DenseNet121 from Keras's .h5", () => {
  test("has the 604 weights and 7,037,504 parameters of the network without its top", async () => {
    const { tensors, format } = await loadWeights(h5);
    expect(format).toBe("keras-h5");
    expect(tensors.size).toBe(604);
    expect([...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(7_037_504);
    for (const [name, shape] of SAMPLES) expect(tensors.get(name)?.shape, name).toEqual(shape);
  });

  test.skipIf(!tfjs)("is bit-identical to tfjs's, which has the top besides", async () => {
    const [a, b] = [await loadWeights(h5), await loadWeights(tfjs)];
    const encoder = new Map([...b.tensors].filter(([name]) => !name.startsWith("fc1000/")));
    expect(bitsOf(a.tensors)).toEqual(bitsOf(encoder));
  });
});
