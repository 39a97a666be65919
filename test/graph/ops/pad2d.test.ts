import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { crop2d, zeroPad2d } from "../../../src/graph/ops/pad2d.ts";
import type { Sides } from "../../../src/kernels/text/window.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const NONE = { top: 0, bottom: 0, left: 0, right: 0 };

const OPS = {
  zeroPad2d: {
    ours: zeroPad2d,
    theirs: (x: tf.Tensor, { top, bottom, left, right }: Sides): tf.Tensor =>
      tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]), // prettier-ignore
  },
  crop2d: {
    ours: crop2d,
    theirs: (x: tf.Tensor, { top, bottom, left, right }: Sides): tf.Tensor => {
      const [, height, width] = x.shape as [number, number, number, number];
      return tf.slice(x, [0, top, left, 0], [-1, height - top - bottom, width - left - right, -1]);
    },
  },
};

describe.each(["zeroPad2d", "crop2d"] as const)("%s", (name) => {
  const gpu = useGpu();
  const { ours, theirs } = OPS[name];

  async function compare(shape: Shape, sides: Sides, maxBindingBytes?: number): Promise<void> {
    const input = randomInput(shape, 1);
    const { data: dy } = randomInput([sizeOf(ours(new Graph().input("x", shape), sides).shape)], 2);
    const expected = tfjsReference((x) => theirs(x, sides), [input], dy);
    const actual = await runOp(gpu(), (x) => ours(x, sides), [input], dy, { maxBindingBytes });
    expectClose(actual.y, expected.y, 0);
    expectClose(actual.gradients[0], expected.gradients[0], 0);
  }

  it("is tfjs's, and so is its gradient", async () => {
    const side = fc.nat(3);
    const cases = fc.record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 7, max: 9 }),
        fc.integer({ min: 7, max: 9 }),
        fc.constantFrom(3, 5, 8, 36),
      ),
      sides: fc.record({ top: side, bottom: side, left: side, right: side }),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, sides }) => compare(shape, sides)),
      compiledCases(30),
    );
  });

  it("is the same in pieces along the batch", () =>
    compare([5, 8, 8, 16], { top: 4, bottom: 0, left: 2, right: 2 }, 2 * 12 * 12 * 16 * 4));

  it("of no pixel is x itself, and refuses what is no image and no number of pixels", () => {
    const graph = new Graph();
    const x = graph.input("x", [1, 4, 4, 3]);
    expect(ours(x, NONE)).toBe(x);
    expect(() => ours(graph.input("v", [2, 3]), NONE)).toThrow(
      `${name} takes images [N, H, W, C]; "v" has the shape [2, 3].`,
    );
    expect(() => ours(x, { ...NONE, left: -1 })).toThrow(
      `${name} takes whole numbers of pixels from 0, not top 0, bottom 0, left -1, right 0.`,
    );
  });
});

it("crop2d leaves at least one pixel", () => {
  const x = new Graph().input("x", [1, 4, 4, 3]);
  expect(() => crop2d(x, { ...NONE, top: 2, bottom: 2 })).toThrow(
    'crop2d: top 2, bottom 2, left 0, right 0 leaves nothing of "x" [1, 4, 4, 3].',
  );
});
