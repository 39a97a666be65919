import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { pixelCount } from "../../../src/graph/ops/pixel-count.ts";
import { compile } from "../../../src/graph/compile.ts";
import { useGpu } from "../../helpers/gpu.ts";

describe("pixelCount", () => {
  const gpu = useGpu();

  it("counts what is not to be ignored, in all and in each image, in pieces too", async () => {
    // Images of more pixels than one invocation adds up, the third with none that counts.
    const [batch, perImage] = [5, 83 * 61];
    const labels = Uint32Array.from({ length: batch * perImage }, (_, i) =>
      Math.floor(i / perImage) === 2 || i % 7 === 0 ? 0xffffffff : i % 3,
    );
    const expected = Array.from(
      { length: batch },
      (_, i) =>
        labels.subarray(i * perImage, (i + 1) * perImage).filter((label) => label !== 0xffffffff).length,
    );
    const graph = new Graph();
    const input = graph.input("labels", [batch, 83, 61], "u32");
    const outputs = {
      all: pixelCount(input, 0xffffffff),
      images: pixelCount(input, 0xffffffff, { reduction: "per-image" }),
    };
    for (const maxBindingBytes of [undefined, 4 * 64 * perImage]) {
      const program = await compile(gpu(), { outputs, maxBindingBytes });
      const { all, images } = await program.run({ labels });
      program.destroy();
      expect([...images]).toEqual(expected);
      expect([...all]).toEqual([expected.reduce((a, b) => a + b)]);
    }
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const floats = graph.input("floats", [2, 3]);
    expect(() => pixelCount(floats, 0)).toThrow(
      'pixelCount takes u32 labels [batch, ..]; "floats" is f32 [2, 3].',
    );
    const labels = graph.input("labels", [2, 3], "u32");
    expect(() => pixelCount(labels, 0.5)).toThrow("must be a whole number from 0 to 4294967295, not 0.5");
  });
});
