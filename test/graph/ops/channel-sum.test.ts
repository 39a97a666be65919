import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { channelSum } from "../../../src/graph/ops/channel-reduction.ts";
import { globalNorm } from "../../../src/graph/ops/global-norm.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { RunOpOptions } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("channelSum", () => {
  const gpu = useGpu();

  async function compare(shape: Shape, options?: RunOpOptions): Promise<void> {
    const inputs = [randomInput(shape, 1)];
    const { data: dy } = randomInput(shape.slice(-1), 2);
    const axes = shape.slice(0, -1).map((_, i) => i);
    const actual = await runOp(gpu(), channelSum, inputs, dy, options);
    const expected = tfjsReference((x) => tf.sum(x, axes), inputs, dy);
    expectClose(actual.y, expected.y);
    expect(actual.gradients).toEqual(expected.gradients);
  }

  for (const family of ["register", "workgroup"] as const) {
    it.each<{ shape: Shape }>([{ shape: [3, 5, 7, 3] }, { shape: [2, 4, 6, 64] }, { shape: [40, 12] }])(
      `is tfjs's sum at $shape, and so is its gradient (${family})`,
      ({ shape }) => compare(shape, { family }),
    );
  }

  it("is the same when the batch is cut", () =>
    compare([5, 8, 8, 20], { maxBindingBytes: 2 * 8 * 8 * 20 * 4 }));

  it("has the gradient of finite differences", async () => {
    const { data, shape } = randomInput([2, 3, 2], 1);
    const { data: dy } = randomInput([2], 2);
    const { gradients } = await runOp(gpu(), channelSum, [{ data, shape }], dy);
    const f = ([x]: readonly Float64Array[]): number =>
      dotProduct(
        [0, 1].map((channel) => x.filter((_, i) => i % 2 === channel).reduce((a, b) => a + b)),
        dy,
      );
    expectClose(gradients[0], finiteDifferences(f, [data])[0]);
  });

  it("has a gradient whose own gradient is again the sum", async () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3, 4]);
    const first = gradients(globalNorm([channelSum(x)]), [x]).get(x)!;
    const sums = first.node!.inputs[0];
    const loss = globalNorm([first]);
    // The norm of six rows that are all alike: √6 · |row|.
    const program = await compile(gpu(), { outputs: { sums, slope: gradients(loss, [sums]).get(sums)! } });
    const result = await program.run({ x: randomInput([2, 3, 4], 3).data });
    const row = result.sums as Float32Array;
    const expected = row.map((value) => (Math.sqrt(6) * value) / Math.hypot(...row));
    expectClose(result.slope, expected);
    program.destroy();
  });
});
