import { describe, expect, it } from "vitest";
import { Graph, variableParts } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import { buildLayers } from "../../../src/layers/networks/build.ts";
import type { Layer } from "../../../src/layers/networks/layer.ts";
import { INPUT } from "../../../src/layers/networks/layer.ts";
import { LayerList } from "../../../src/layers/networks/layer-list.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const SIZE = 6;

const build = (
  layers: readonly Layer[],
  outputs: readonly string[],
  image = new Graph().input(INPUT, [1, SIZE, SIZE, 3]),
  training = true,
): Record<string, Tensor> =>
  buildLayers(layers, { [INPUT]: image }, { outputs, training, trainable: () => true });

/** The names of the ops that make the outputs. */
function ops(layers: readonly Layer[], outputs: readonly string[]): string[] {
  const tensors = Object.values(build(layers, outputs));
  return tensors[0].graph.nodes.map(({ op }) => op.name);
}

const conv = (kernelSize: number, strides = 1) =>
  ({
    ...({ kind: "Conv2D", filters: 4, kernelSize: [kernelSize, kernelSize], strides } as const),
    ...({ padding: "valid", useBias: false } as const),
  }) as const;
const edges = { top: 1, bottom: 2, left: 0, right: 1 };
const pool = { poolSize: 2, strides: 2, padding: "valid" } as const;

/** A convolution behind zeros, batch norm and ReLU; a 1×1 convolution and a pooling; the means of the channels. */
function network(): Layer[] {
  const list = new LayerList();
  list.part = "encoder";
  let x = list.add("pad", { kind: "ZeroPadding2D", padding: edges }, INPUT);
  x = list.add("conv", conv(3), x);
  x = list.add("bn", { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.9, scale: false }, x);
  x = list.add("relu", { kind: "Activation", activation: "relu" }, x);
  x = list.add("small", conv(1), x);
  x = list.add("pooled", { kind: "AveragePooling2D", ...pool }, x);
  x = list.add("means", { kind: "GlobalAveragePooling2D" }, x);
  list.add("cells", { kind: "Reshape", target: [1, 1, 4] }, x);
  return list.layers;
}

describe("buildLayers", () => {
  const gpu = useGpu();

  it("joins neighbours that are one op, and those that are asked for not", () => {
    const layers = network();
    expect(ops(layers, ["cells"]).filter((name) => !/moment|moving|part|fill/.test(name))).toEqual([
      ...["conv2d", "standardize", "affine", "average_pool2d", "conv2d", "global_average_pool2d", "reshape"],
    ]);
    const all = layers.map(({ name }) => name);
    const alone = ops(layers, all).filter((name) => !/moment|moving|part|fill/.test(name));
    expect(alone).toEqual([
      ...["zero_pad2d", "conv2d", "standardize", "affine", "relu"],
      ...["conv2d", "average_pool2d", "global_average_pool2d", "reshape"],
    ]);
  });

  it("has the same numbers either way", async () => {
    const layers = network();
    const image = new Graph().input(INPUT, [1, SIZE, SIZE, 3]);
    const names = layers.map(({ name }) => name);
    const { relu, pooled } = build(layers, names, image, false);
    const joined = build(layers, ["relu", "pooled"], image, false);
    expect(relu.shape).toEqual([1, 7, 5, 4]);
    const outputs = { relu, pooled, joinedRelu: joined.relu, joinedPooled: joined.pooled };
    const program = await compile(gpu(), { outputs });
    const results = await program.run({ [INPUT]: randomInput([1, SIZE, SIZE, 3], 1).data });
    program.destroy();
    expectClose(results.joinedRelu, results.relu, 1e-6);
    expectClose(results.joinedPooled, results.pooled, 1e-5);
    expect(results.pooled.some((value) => Math.abs(value) > 0.01)).toBe(true);
  });

  it("makes no image of twice the size for a convolution that alone reads it", async () => {
    const list = new LayerList();
    list.add("a", conv(1), INPUT);
    list.add("b", conv(1), INPUT);
    list.add("both", { kind: "Concatenate" }, "a", "b");
    list.add("large", { kind: "UpSampling2D", interpolation: "nearest" }, "both");
    list.add("same", { ...conv(3), padding: "same", useBias: true }, "large");
    const { layers } = list;
    const isPart = (name: string): boolean => name === "part";
    expect(ops(layers, ["same"]).filter((name) => !isPart(name))).toEqual([
      ...["conv2d", "conv2d", "turn_kernel", "conv2d_transpose", "fill", "window_sums", "bias_add"],
    ]);
    const bilinear = layers.map((layer): Layer => {
      const { operation } = layer;
      return operation.kind === "UpSampling2D"
        ? { ...layer, operation: { ...operation, interpolation: "bilinear" } }
        : layer;
    });
    expect(ops(bilinear, ["same"]).filter((name) => !isPart(name))).toEqual([
      ...["conv2d", "conv2d", "repeat_edges", "repeat_edges", "turn_kernel", "conv2d_transpose"],
      ...["bilinear_sums", "bias_add"],
    ]);
    expect(ops(bilinear, ["large", "same"])).toContain("upsample_bilinear2x");
    const apart = ["conv2d", "conv2d", "concat", "upsample_nearest2x", "conv2d"];
    expect(ops(layers, ["large", "same"]).filter((name) => !isPart(name))).toEqual(apart);
    for (const other of [
      conv(3),
      { ...conv(3, 2), padding: "same" },
      { ...conv(5), padding: "same" },
    ] as const) {
      const changed = new LayerList({ layers: layers.slice(0, -1) });
      changed.add("other", other, "large");
      expect(ops(changed.layers, ["other"]).filter((name) => !isPart(name))).toEqual(apart);
    }

    const image = new Graph().input(INPUT, [1, SIZE, SIZE, 3]);
    const { same } = build(layers, ["same"], image, false);
    const outputs = { same, apart: build(layers, ["large", "same"], image, false).same };
    const program = await compile(gpu(), { outputs });
    const results = await program.run({ [INPUT]: randomInput([1, SIZE, SIZE, 3], 1).data });
    program.destroy();
    expect(same.shape).toEqual([1, 2 * SIZE, 2 * SIZE, 4]);
    expectClose(results.same, results.apart, 1e-5);
  });

  it("has the variables of the list, in its parts, without what no output needs", () => {
    const { relu } = build(network(), ["relu"]);
    const variables = [...relu.graph.variables.values()].flatMap((tensor) =>
      variableParts(tensor).map(({ name }) => [name, tensor.variable!.role, tensor.variable!.group]),
    );
    expect(variables).toEqual([
      ["conv/kernel", "parameter", "encoder"],
      ["bn/beta", "parameter", "encoder"],
      ["bn/moving_mean", "state", "encoder"],
      ["bn/moving_variance", "state", "encoder"],
    ]);
  });

  it("brings a tap around its centre to the photo's size over the stride", () => {
    const list = new LayerList();
    const halved = list.add("halved", conv(3, 2), INPUT);
    list.add("centered", { kind: "CenterCropOrPad", stride: 2 }, halved);
    list.add("cropped", { kind: "CenterCropOrPad", stride: 3 }, INPUT);
    const { halved: before, centered, cropped } = build(list.layers, ["halved", "centered", "cropped"]);
    expect([before.shape, centered.shape, cropped.shape]).toEqual([
      [1, 2, 2, 4],
      [1, 3, 3, 4],
      [1, 2, 2, 3],
    ]);
    const made = centered.graph.nodes.map(({ op }) => op.name);
    expect(made).toEqual(["part", "conv2d", "zero_pad2d", "crop2d"]);
  });

  it("pads images of even size by less before a kernel of stride 2, as Keras does", () => {
    const list = new LayerList();
    const padded = list.add("pad", { kind: "ZeroPadding2D", padding: { halving: 5 } }, INPUT);
    list.add("conv", conv(5, 2), padded);
    for (const [size, expected] of [
      [6, { top: 1, bottom: 2, left: 1, right: 2 }],
      [7, { top: 2, bottom: 2, left: 2, right: 2 }],
    ] as const) {
      const image = new Graph().input(INPUT, [1, size, size, 3]);
      const { pad, conv } = build(list.layers, ["pad", "conv"], image);
      const [height, width] = [size + expected.top + expected.bottom, size + expected.left + expected.right];
      expect(pad.shape).toEqual([1, height, width, 3]);
      expect(conv.shape).toEqual([1, Math.ceil(size / 2), Math.ceil(size / 2), 4]);
    }
  });
});
