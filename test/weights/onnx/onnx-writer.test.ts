import { describe, expect, test } from "vitest";
import { DEFAULT_ENCODER } from "../../../src/layers/networks/encoders.ts";
import { unetLayers } from "../../../src/layers/networks/unet.ts";
import { toSize } from "../../../src/image-size.ts";
import type { ImageSize } from "../../../src/image-size.ts";
import { onnxModel } from "../../../src/weights/onnx/onnx-writer.ts";
import type { OnnxModel, OnnxValue } from "../../../src/weights/onnx/model.ts";
import type { WrittenNetwork } from "../../../src/weights/written-network.ts";

const none = new Float32Array(3 * 3 * 512 * 1024);

/** A network whose weights are all zero. */
function network(
  part: "unet" | "encoder",
  imageSize: ImageSize | null,
  normalization = "unit",
): WrittenNetwork {
  const layers =
    part === "unet" ? unetLayers({ classes: 3, decoder: "transpose" }) : DEFAULT_ENCODER.layers();
  const weights = layers.flatMap((layer) => layer.weights);
  const zeros = weights.map(({ name, shape }) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return [name, { shape, data: none.subarray(0, count) }] as const;
  });
  const outputs = part === "unet" ? ["head"] : ["conv1/relu", "relu"];
  return {
    encoder: DEFAULT_ENCODER,
    layers,
    outputs,
    weights: new Map(zeros),
    metadata: { normalization },
    imageSize: imageSize === null ? null : toSize(imageSize),
  };
}

const shapes = (values: readonly OnnxValue[]): object =>
  Object.fromEntries(values.map(({ name, type, shape }) => [name, `${type} ${shape.join()}`]));
const count = ({ graph }: OnnxModel, operator: string): number =>
  graph.nodes.filter((node) => node.operator === operator).length;

describe("onnxModel", () => {
  test("names each tensor once, and after all that makes it", () => {
    const { graph } = onnxModel(network("unet", 64, "imagenet"), { embed: true });
    const known = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
    expect(known.size).toBe(graph.inputs.length + graph.initializers.length);
    for (const { inputs, outputs } of graph.nodes) {
      for (const input of inputs) expect(input === "" || known.has(input), input).toBe(true);
      for (const output of outputs) {
        expect(known.has(output), output).toBe(false);
        known.add(output);
      }
    }
    for (const { name } of graph.outputs) expect(known).toContain(name);
  });

  test("embeds no preparation but the one it knows", () => {
    const { metadata, ...rest } = network("unet", 64);
    const boxed = { ...rest, metadata: { ...metadata, resize: "letterbox" } };
    expect(() => onnxModel(boxed, { embed: true })).toThrow(
      "resized by letterbox, and --embed only stretches",
    );
    expect(shapes(onnxModel(boxed, {}).graph.inputs)).toEqual({ image: "float32 N,64,64,3" });
  });

  test("says the shapes of what goes in and out, of any size where none is known", () => {
    const sized = onnxModel(network("unet", 64), {}).graph;
    expect(shapes(sized.inputs)).toEqual({ image: "float32 N,64,64,3" });
    expect(shapes(sized.outputs)).toEqual({ logits: "float32 N,64,64,3" });
    const wide = onnxModel(network("encoder", { height: 64, width: 96 }), {}).graph;
    expect(shapes(wide.inputs)).toEqual({ image: "float32 N,64,96,3" });
    expect(shapes(wide.outputs)).toEqual({
      "conv1/relu": "float32 N,32,48,64",
      relu: "float32 N,2,3,1024",
    });
    const any = onnxModel(network("encoder", null), {}).graph;
    expect(shapes(any.inputs)).toEqual({ image: "float32 N,height,width,3" });
    expect(shapes(any.outputs)).toEqual({
      "conv1/relu": "float32 N,height/2,width/2,64",
      relu: "float32 N,height/32,width/32,1024",
    });
    const embedded = onnxModel(network("unet", 96), { embed: true }).graph;
    expect(shapes(embedded.inputs)).toEqual({ photos: "uint8 N,height,width,3" });
    expect(shapes(embedded.outputs)).toEqual({ labels: "int64 N,96,96" });
  });

  test("folds the batch norms behind a convolution, and keeps those before one", () => {
    const whole = onnxModel(network("unet", 64), {});
    const folded = onnxModel(network("unet", 64), { foldBatchNorm: true });
    expect(count(whole, "BatchNormalization")).toBe(125);
    // One of the stem, one of each of the 58 dense layers, one of each of the 4 upsample blocks.
    expect(count(folded, "BatchNormalization")).toBe(125 - 63);
  });

  test("does not embed what cannot be", () => {
    const embed = { embed: true };
    expect(() => onnxModel(network("encoder", 64), embed)).toThrow("An encoder gives no labels");
    expect(() => onnxModel(network("unet", null), embed)).toThrow(
      "The size that photos are to be resized to",
    );
    expect(() => onnxModel(network("unet", 64, "other"), embed)).toThrow('The normalization "other"');
  });
});
