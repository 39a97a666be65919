import { describe, expect, test } from "vitest";
import { encodeModel } from "../../../src/weights/onnx/model.ts";
import { messagesOf, readMessage, textsOf } from "./read-onnx.ts";

describe("encodeModel", () => {
  const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  const encoded = encodeModel({
    irVersion: 8,
    opset: 18,
    producer: "bespoke",
    metadata: { classes: '["ü"]' },
    graph: {
      name: "unet",
      nodes: [
        {
          name: "n",
          operator: "Conv",
          inputs: ["x", "", "w"],
          outputs: ["y"],
          attributes: {
            pads: { ints: [0, 1] },
            axis: { int: -1 },
            epsilon: { float: 0.5 },
            mode: { string: "m" },
          },
        },
      ],
      initializers: [{ name: "w", type: "float32", shape: [3, 1], data }],
      inputs: [{ name: "x", type: "uint8", shape: ["N", 4] }],
      outputs: [],
    },
  });
  const model = readMessage(new Uint8Array(Buffer.concat(encoded.chunks)));
  const [graph] = messagesOf(model, 7);

  test("says of itself what it is", () => {
    expect(encoded.bytes).toBe(Buffer.concat(encoded.chunks).length);
    expect(model.get(1)).toEqual([8]);
    expect(textsOf(model, 2)).toEqual(["bespoke"]);
    expect(messagesOf(model, 8)[0].get(2)).toEqual([18]);
    const [property] = messagesOf(model, 14);
    expect([textsOf(property, 1), textsOf(property, 2)]).toEqual([["classes"], ['["ü"]']]);
  });

  test("has nodes with attributes of every type, an input left out", () => {
    const [node] = messagesOf(graph, 1);
    expect([1, 2, 3, 4].map((field) => textsOf(node, field))).toEqual([
      ["x", "", "w"],
      ["y"],
      ["n"],
      ["Conv"],
    ]);
    const [pads, axis, epsilon, mode] = messagesOf(node, 5);
    expect([pads, axis, epsilon, mode].map((attribute) => attribute.get(20))).toEqual([[7], [2], [1], [3]]);
    expect([pads.get(8), axis.get(3), epsilon.get(2)]).toEqual([[0, 1], [-1], [0.5]]);
    expect(textsOf(mode, 4)).toEqual(["m"]);
  });

  test("has tensors as they lie in memory, without a copy, and types of values", () => {
    const [tensor] = messagesOf(graph, 5);
    expect([tensor.get(1), tensor.get(2)]).toEqual([[3, 1], [1]]);
    expect(tensor.get(9)).toEqual([data]);
    expect(encoded.chunks).toContain(data);
    const [input] = messagesOf(graph, 11);
    const [type] = messagesOf(messagesOf(input, 2)[0], 1);
    expect(type.get(1)).toEqual([2]);
    const [batch, four] = messagesOf(messagesOf(type, 2)[0], 1);
    expect([textsOf(batch, 2), four.get(1)]).toEqual([["N"], [4]]);
  });
});
