import { describe, expect, test } from "vitest";
import { DEFAULT_ENCODER } from "../../src/layers/networks/encoders.ts";
import { denseNet169, denseNet201 } from "../../src/layers/networks/densenet.ts";
import type { Layer } from "../../src/layers/networks/layer.ts";
import { loadWeights } from "../../src/weights/load.ts";
import type { HostTensor, NamedTensors } from "../../src/weights/tensors.ts";
import { isTorchvision, matchTorchvision } from "../../src/weights/torchvision.ts";
import { WeightsError } from "../../src/weights/weights-error.ts";
import { writeFile } from "node:fs/promises";
import { float32 } from "./arbitrary-tensors.ts";
import { numbersFor } from "./keras-models.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
const source = "densenet121.safetensors";
const OURS = DEFAULT_ENCODER.layers().filter(({ weights }) => weights.length > 0);

/** The modules of torchvision's DenseNet with weights, in the order in which they run. */
function modules(old = false, blocks: readonly number[] = [6, 12, 24, 16]): string[] {
  const dot = old ? "." : "";
  const names = ["features.conv0", "features.norm0"];
  blocks.forEach((layers, i) => {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `features.denseblock${i + 1}.denselayer${layer}`;
      names.push(`${name}.norm${dot}1`, `${name}.conv${dot}1`, `${name}.norm${dot}2`, `${name}.conv${dot}2`);
    }
    if (i < 3) names.push(`features.transition${i + 1}.norm`, `features.transition${i + 1}.conv`);
  });
  return [...names, "features.norm5"];
}

const SUFFIXES: Record<string, string> = {
  kernel: "weight",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
};

/** HWIO → OIHW, index by index. */
function toOihw({ shape: [height, width, read, written], data }: HostTensor): HostTensor {
  const result = new Float32Array(data.length);
  let from = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < read; i++)
        for (let o = 0; o < written; o++) result[((o * read + i) * height + y) * width + x] = data[from++];
  return { shape: [written, read, height, width], data: result };
}

/** The weights of an encoder of ours as torchvision has them; the classifier is of DenseNet121's size. */
function stateDict(
  numbers: NamedTensors,
  { prefix = "", names = modules(), ours = OURS }: { prefix?: string; names?: string[]; ours?: Layer[] } = {},
): NamedTensors {
  expect(names).toHaveLength(ours.length);
  const tensors: NamedTensors = new Map();
  ours.forEach(({ weights }, i) => {
    for (const { name, role } of weights) {
      const tensor = numbers.get(name)!;
      tensors.set(`${prefix}${names[i]}.${SUFFIXES[role]}`, role === "kernel" ? toOihw(tensor) : tensor);
    }
    if (weights.length > 1) {
      tensors.set(`${prefix}${names[i]}.num_batches_tracked`, { shape: [], data: Int32Array.of(9) });
    }
  });
  tensors.set(
    `${prefix}classifier.weight`,
    float32([2, 1024], ...new Float32Array(1024), ...new Float32Array(1024).fill(2)),
  );
  tensors.set(`${prefix}classifier.bias`, float32([2], 5, 6));
  return tensors;
}

const numbers = numbersFor(OURS);
const STATE = stateDict(numbers);

describe("torchvision's densenet121", () => {
  test.each([
    ["today's names", {}],
    ["names of before 2018, wrapped", { names: modules(true), prefix: "module.encoder." }],
  ])("%s", (_, options) => {
    const theirs = stateDict(numbers, options);
    expect(isTorchvision(theirs)).toBe(true);
    const { tensors, mapping, missing, unused } = matchTorchvision(theirs, source);
    expect(tensors.size).toBe(606);
    expect(missing).toHaveLength(22);
    expect(unused).toHaveLength(121);
    const counts = (change: string) => mapping.filter((weight) => weight.change === change).length;
    expect([counts("transposed"), counts("folded"), counts("renamed")]).toEqual([121, 121, 364]);
    for (const { weights } of OURS) {
      for (const { name, role, shape } of weights) {
        if (role === "gamma") continue;
        const { data, shape: found } = tensors.get(name)!;
        expect(found).toEqual(shape);
        expect(Buffer.from(data.buffer).equals(Buffer.from(numbers.get(name)!.data.buffer)), name).toBe(true);
      }
    }
    expect([...tensors.get("fc1000/kernel")!.data.slice(0, 4)]).toEqual([0, 2, 0, 2]);
    expect(tensors.get("fc1000/kernel")!.shape).toEqual([1024, 2]);
  });

  test.each([
    ["densenet169", denseNet169, [6, 12, 32, 32]],
    ["densenet201", denseNet201, [6, 12, 48, 32]],
  ] as const)("%s is told from it", (_, encoder, blocks) => {
    const ours = encoder.layers().filter(({ weights }) => weights.length > 0);
    const shared = new Float32Array(9 * 1920 * 128);
    const weights = ours.flatMap((layer) => layer.weights);
    const zeros: NamedTensors = new Map(
      weights.map(({ name, shape }) => {
        const count = shape.reduce((product, extent) => product * extent, 1);
        return [name, { shape, data: shared.subarray(0, count) }];
      }),
    );
    const theirs = stateDict(zeros, { ours, names: modules(false, blocks) });
    for (const name of ["classifier.weight", "classifier.bias"]) theirs.delete(name);
    const matched = matchTorchvision(theirs, source);
    expect(matched.encoder).toBe(encoder);
    expect([...matched.tensors.keys()]).toEqual(weights.map(({ name }) => name));
  });

  test("its ε is made up for, to the rounding of one float32, down to a variance of zero", () => {
    const theirs = new Map(STATE);
    const variance = STATE.get("features.norm5.running_var")!.data.slice();
    theirs.set("features.norm5.running_var", { shape: [1024], data: variance });
    variance.set([0, 1e-9, 1e-8, 1e-6, 1e-3, Number.NaN]);
    const { tensors } = matchTorchvision(theirs, source);
    const [gamma, theirGamma] = [tensors.get("bn/gamma")!.data, theirs.get("features.norm5.weight")!.data];
    for (let i = 0; i < 1024; i++) {
      if (i === 5) expect(gamma[i]).toBe(theirGamma[i]);
      else {
        const expected = theirGamma[i] / Math.sqrt(variance[i] + 1e-5);
        expect(Math.abs(gamma[i] / Math.sqrt(variance[i] + 1.001e-5) - expected)).toBeLessThanOrEqual(
          2 ** -24 * Math.abs(expected) * 1.0001,
        );
      }
    }
  });

  test("as PyTorch writes the file, with its counters of 64 bits", async () => {
    const header: Record<string, object> = {};
    const chunks: Buffer[] = [];
    let offset = 0;
    for (const [name, { shape, data }] of STATE) {
      const bytes =
        data instanceof Float32Array
          ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
          : Buffer.from(BigInt64Array.from(data, BigInt).buffer);
      const dtype = data instanceof Float32Array ? "F32" : "I64";
      header[name] = { dtype, shape, data_offsets: [offset, (offset += bytes.length)] };
      chunks.push(bytes);
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const path = inFolder(source);
    await writeFile(path, Buffer.concat([length, json, ...chunks]));
    const { format, tensors } = await loadWeights(path);
    expect(format).toBe("torchvision");
    expect(tensors.get("conv1/conv/kernel")!.data).toEqual(numbers.get("conv1/conv/kernel")!.data);
  });

  test.each<[string, (tensors: NamedTensors) => void, string]>([
    [
      "densenet161",
      (tensors) => tensors.set("features.denseblock3.denselayer36.conv1.weight", float32([1])),
      "is another DenseNet of PyTorch's (its third dense block has 36 layers): of torchvision's networks densenet121, densenet169 and",
    ],
    [
      "resnet50, whose strides are others than Keras's",
      (tensors) => {
        tensors.clear();
        tensors.set("conv1.weight", { shape: [64, 3, 7, 7], data: new Float32Array(9408) });
        tensors.set("bn1.running_var", { shape: [64], data: new Float32Array(64) });
      },
      "is another network of PyTorch's: of torchvision's networks densenet121, densenet169 and densenet201 are taken",
    ],
    [
      "weights that are missing",
      (tensors) => {
        tensors.delete("features.denseblock2.denselayer3.norm2.running_var");
        tensors.delete("features.transition1.conv.weight");
      },
      'it has no weight "features.transition1.conv.weight", and 1 more of its weights does not fit; save',
    ],
    [
      "integers",
      (tensors) => tensors.set("features.norm5.bias", { shape: [1024], data: new Int32Array(1024) }),
      'its "features.norm5.bias" has shape [1024] of integers',
    ],
    [
      "a weight under its old name and its new one",
      (tensors) => tensors.set("features.denseblock1.denselayer1.conv.1.weight", float32([1])),
      'it holds both "features.denseblock1.denselayer1.conv1.weight" and "features.denseblock1.denselayer1.conv.1.weight"',
    ],
  ])("%s: refused", (_, change, why) => {
    const tensors = new Map(STATE);
    change(tensors);
    expect(() => matchTorchvision(tensors, source)).toThrow(WeightsError);
    expect(() => matchTorchvision(tensors, source)).toThrow(why);
  });
});
