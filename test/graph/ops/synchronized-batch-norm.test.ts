import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { constant } from "../../../src/graph/initializers.ts";
import { batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { multiply } from "../../../src/graph/ops/binary.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { sum } from "../../../src/graph/ops/reduce.ts";
import { synchronizedBatchNorm } from "../../../src/graph/ops/synchronized-batch-norm.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { BatchNormExchange } from "../../../src/train/phase/batch-norm-exchange.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { inProcessRanks } from "../../helpers/in-process-ranks.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const C = 5;

interface Options {
  readonly sync: boolean;
  readonly fuse?: boolean;
  readonly maxBindingBytes?: number | undefined;
  readonly half?: boolean;
}

const floats = (numbers: Float32Array | Uint32Array): Float32Array => numbers as Float32Array;

describe("synchronizedBatchNorm", () => {
  const gpu = useGpu();

  /** A norm over `shape`, its gradients, and what it has moved. */
  async function build(shape: readonly number[], { sync, half = false, ...options }: Options) {
    const graph = new Graph();
    const x = graph.input("x", shape);
    const given: Tensor = half ? cast(x, "f16") : x;
    const gamma = graph.parameter("gamma", [C], constant(1.5));
    const beta = graph.parameter("beta", [C], constant(-0.25));
    const moving = [
      graph.state("mean", [C], constant(0)),
      graph.state("variance", [C], constant(1)),
    ] as const;
    const norm = sync ? synchronizedBatchNorm : batchNormTraining;
    const y = norm(given, gamma, beta, ...moving, { epsilon: 1e-3, momentum: 0.9, activation: "relu" });
    const loss = sum(multiply(cast(y, "f32"), graph.input("weights", shape)));
    const slopes = gradients(loss, [x, gamma, beta]);
    const [dx, dgamma, dbeta] = [x, gamma, beta].map((tensor) => slopes.get(tensor)!);
    const variables = new Variables(gpu());
    const outputs = { y: cast(y, "f32"), dx, dgamma, dbeta };
    const program = await compile(gpu(), { ...options, outputs, variables });
    return { program, variables };
  }

  /** @param batches images of each rank. */
  async function compare(
    batches: readonly number[],
    image: readonly number[],
    limit: number,
    options: Omit<Options, "sync"> = {},
  ): Promise<void> {
    const all = batches.reduce((a, b) => a + b);
    const perImage = image.reduce((a, b) => a * b, 1);
    const x = randomInput([all, ...image], 3).data.map((value, i) => 3 * value + (i % C));
    const weights = randomInput([all, ...image], 4).data;
    const whole = await build([all, ...image], { ...options, sync: false });
    const expected = await whole.program.run({ x, weights });
    const ranks = inProcessRanks(batches.length);
    const results = await Promise.all(
      batches.map(async (photos, rank) => {
        const { program, variables } = await build([photos, ...image], { ...options, sync: true });
        const first = batches.slice(0, rank).reduce((a, b) => a + b, 0);
        const own = (values: Float32Array): Float32Array =>
          values.subarray(first * perImage, (first + photos) * perImage);
        const onHost = new BatchNormExchange(ranks[rank]).ofBatch(photos);
        const result = await program.run({ x: own(x), weights: own(weights) }, undefined, { onHost });
        const moved = await variables.readAll();
        program.destroy();
        variables.destroy();
        return { ...result, moved };
      }),
    );
    for (const name of ["y", "dx"] as const) {
      const joined = results.flatMap((result) => [...floats(result[name])]);
      expectClose(Float32Array.from(joined), floats(expected[name]), limit);
    }
    for (const name of ["dgamma", "dbeta"] as const) {
      const total = floats(expected[name]).map((_, c) =>
        results.reduce((sum, result) => sum + result[name][c], 0),
      );
      expectClose(total, floats(expected[name]), limit);
    }
    for (const name of ["mean", "variance"]) {
      const movedTo = await whole.variables.read(name);
      for (const { moved } of results) {
        expectClose(moved.get(name)!.data, movedTo, Math.min(limit, 1e-5));
        expect(moved.get(name)).toEqual(results[0].moved.get(name));
      }
    }
    whole.program.destroy();
    whole.variables.destroy();
  }

  it.each([
    ["two alike", [2, 2], [4, 4, C]],
    ["of other sizes", [1, 3, 2], [3, 5, C]],
    ["one pixel each", [1, 1], [1, 1, C]],
    ["rows", [4, 3], [C]],
    ["one", [3], [2, 2, C]],
  ] as const)("is the norm of the batches of all: %s", async (_, batches, image) => {
    await compare(batches, image, 2e-5);
    await compare(batches, image, 2e-5, { fuse: false });
  });

  it("is so for batches that are cut", () => compare([3, 2], [4, 4, C], 2e-5, { maxBindingBytes: 512 }));

  it("is so in half precision", async ({ skip }) => {
    skip(!gpu().features.has("shader-f16"), "the adapter has no shader-f16");
    await compare([2, 3], [4, 4, C], 4e-3, { half: true });
  });

  it("is the norm of the own batch where nobody brings others", async () => {
    const [alone, whole] = await Promise.all([true, false].map((sync) => build([3, 2, 2, C], { sync })));
    const feeds = { x: randomInput([3, 2, 2, C], 5).data, weights: randomInput([3, 2, 2, C], 6).data };
    const [some, all] = [await alone.program.run(feeds), await whole.program.run(feeds)];
    for (const name of ["y", "dx", "dgamma", "dbeta"] as const)
      expectClose(floats(some[name]), floats(all[name]), 2e-5);
    for (const { program, variables } of [alone, whole]) {
      program.destroy();
      variables.destroy();
    }
  });
});
