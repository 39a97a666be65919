import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import { cast } from "../../src/graph/ops/cast.ts";
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import { globalNorm } from "../../src/graph/ops/global-norm.ts";
import { matmul } from "../../src/graph/ops/matmul.ts";
import { maxPool2d } from "../../src/graph/ops/pool.ts";
import { rmsprop } from "../../src/graph/optimizers/rmsprop.ts";
import { plan } from "../../src/graph/plan.ts";
import { printGraph } from "../../src/graph/print-graph.ts";
import { paperTarget } from "../helpers/target.ts";

/** Without what pads the columns. */
const lines = (table: string): string[] =>
  table.split("\n").map((line) => line.trim().replace(/ {2,}/g, " | "));

describe("graph.print()", () => {
  it("has a line for each tensor, in the order of their making", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 4, 4, 3]);
    const y = conv2d(x, graph.parameter("kernel", [3, 3, 3, 8], zeros), { strides: 1, padding: "same" });
    const loss = globalNorm([
      cast(cast(maxPool2d(y, { poolSize: 2, strides: 2, padding: "valid" }), "f16"), "f32"),
    ]);
    rmsprop(gradients(loss), { learningRate: graph.input("rate", []) });
    const text = graph.print();
    expect(text).toBe(printGraph(graph));
    expect(lines(text).slice(0, 11)).toEqual([
      "op | tensor | shape | type | of",
      "input | x | [2, 4, 4, 3] | f32",
      "parameter | kernel | [3, 3, 3, 8] | f32",
      "conv2d | conv2d_0:0 | [2, 4, 4, 8] | f32 | x, kernel",
      "conv2d_0:1 | [8] | f32",
      "conv2d_0:2 | [8] | f32",
      "max_pool2d | max_pool2d_1:0 | [2, 2, 2, 8] | f32 | conv2d_0:0",
      "max_pool2d_1:1 | [2, 2, 2, 8] | u32",
      "cast | cast_2 | [2, 2, 2, 8] | f16 | max_pool2d_1:0",
      "cast | cast_3 | [2, 2, 2, 8] | f32 | cast_2",
      "global_norm | global_norm_4 | [] | f32 | cast_3",
    ]);
    expect(lines(text).at(-1)).toMatch(/^rmsprop \| updates kernel, kernel\/rmsprop\S* \| .*rate/);
    const [head, first] = text.split("\n");
    expect(head.indexOf("shape")).toBe(first.indexOf("[2, 4"));
  });
});

describe("plan.print()", () => {
  it("has a line for each dispatch, with tile and arithmetic, and the totals", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 4, 4, 8]);
    const y = conv2d(cast(x, "f16"), graph.parameter("kernel", [3, 3, 8, 16], zeros), {
      strides: 2,
      padding: "same",
    });
    const product = matmul(graph.input("a", [5, 7]), graph.input("b", [7, 3]));
    const planned = plan({ outputs: { y, product } }, paperTarget);
    const [head, ...rest] = lines(planned.print());
    expect(head).toBe("op | kernel | reads | writes | tile | bytes | FLOP");
    expect(rest[0]).toBe("0 | cast | cast | [2, 4, 4, 8] | [2, 4, 4, 8]f16 | 1.5 KiB");
    const { rows, columns } = planned.dispatches[1].kernel.tiling!.tile;
    // 2·2·2·2 pixels, 3·3 taps, 8 and 16 channels.
    expect(rest[1]).toContain(
      "1 | conv2d | conv2d_forward | [2, 4, 4, 8]f16 [3, 3, 8, 16] | [2, 2, 2, 16]f16 |",
    );
    expect(rest[1]).toContain(`| ${rows}×${columns}`);
    expect(rest[1]).toMatch(/\| 5\.3 KiB \| 18\.4 k$/);
    expect(rest[2]).toBe("2 | matmul | conv2d_forward | [5, 7] [7, 3] | [5, 3] | 4×32 | 284 B | 210");
    expect(rest[3]).toBe("3 dispatches of 3 pipelines bind 7.0 KiB; products of 18.6 kFLOP");
    expect(rest[4]).toMatch(/^arena \S+ \S+ in 2 blocks, inputs 1\.2 KiB, variables 4\.5 KiB: \S+ KiB$/);
  });
});
