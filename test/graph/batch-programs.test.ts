import { describe, expect, expectTypeOf, it } from "vitest";
import { BatchPrograms } from "../../src/graph/batch-programs.ts";
import { compile } from "../../src/graph/compile.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import { constant, glorotUniform, zeros } from "../../src/graph/initializers.ts";
import { subtract } from "../../src/graph/ops/binary.ts";
import { dense } from "../../src/graph/ops/dense.ts";
import { mean, sum } from "../../src/graph/ops/reduce.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { square } from "../../src/graph/ops/unary.ts";
import { sgd } from "../../src/graph/optimizers/sgd.ts";
import { Variables } from "../../src/graph/variables.ts";
import { useGpu } from "../helpers/gpu.ts";

/** A regression on `[batchSize, 3]`. */
function regression(batchSize: number) {
  const graph = new Graph();
  const x = graph.input("x", [batchSize, 3]);
  const y = graph.input("y", [batchSize, 1]);
  const prediction = dense(x, graph.parameter("w", [3, 1], glorotUniform), graph.parameter("b", [1], zeros));
  const loss = mean(square(subtract(prediction, y)));
  return { outputs: { loss, prediction }, updates: sgd(gradients(loss), { learningRate: 0.1 }) };
}

const numbers = (count: number, from = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(from + i));

const batchOf = (size: number, from = 0) => ({ x: numbers(3 * size, from), y: numbers(size, from + 50) });

describe("programs for any batch size", () => {
  const gpu = useGpu();

  it("train the same variables as programs compiled for each size by hand, bit for bit", async () => {
    const before = gpu().bytes;
    const sizes = [4, 1, 7, 4, 7];
    const compiled: number[] = [];
    const variables = new Variables(gpu(), { seed: 3 });
    const programs = new BatchPrograms(gpu(), regression, {
      variables,
      onCompile: (size) => compiled.push(size),
    });
    expect(programs.variables).toBe(variables);
    const losses: number[] = [];
    for (const [i, size] of sizes.entries()) {
      const results = await programs.run(batchOf(size, i));
      expectTypeOf(results).toEqualTypeOf<{ loss: Float32Array; prediction: Float32Array }>();
      expect(results.prediction).toHaveLength(size);
      losses.push(results.loss[0]);
    }
    expect(compiled).toEqual([4, 1, 7]);

    const other = new Variables(gpu(), { seed: 3 });
    const expected: number[] = [];
    for (const [i, size] of sizes.entries()) {
      using program = await compile(gpu(), { ...regression(size), variables: other });
      expected.push((await program.run(batchOf(size, i))).loss[0]);
    }
    expect(losses).toEqual(expected);
    expect(await variables.read("w")).toEqual(await other.read("w"));
    programs.destroy();
    programs.destroy();
    expect(await variables.read("b")).toHaveLength(1);
    variables.destroy();
    other.destroy();
    expect(gpu().bytes).toBe(before);
  });

  it("submit runs in the order in which they were asked for, with the numbers of that moment", async () => {
    const sizes = [2, 5, 2, 3, 5];
    const run = async (atOnce: boolean): Promise<number[]> => {
      using programs = new BatchPrograms(gpu(), regression, { keep: 2 });
      await programs.prepare(2);
      const losses: Promise<number>[] = [];
      for (const [i, size] of sizes.entries()) {
        const feeds = batchOf(size, i);
        const loss = programs.run(feeds, ["loss"]).then(({ loss }) => loss[0]);
        if (!atOnce) await loss;
        feeds.x.fill(NaN);
        losses.push(loss);
      }
      return await Promise.all(losses);
    };
    const inTurn = await run(false);
    expect(inTurn.every(Number.isFinite)).toBe(true);
    expect(await run(true)).toEqual(inTurn);
  });

  it("keep as many programs as they may, and free the one unused for longest, once its runs are done", async () => {
    const compiled: number[] = [];
    using programs = new BatchPrograms(gpu(), regression, {
      keep: 2,
      onCompile: (size) => compiled.push(size),
    });
    const first = await programs.prepare(1);
    const second = await programs.prepare(2);
    const running = programs.run(batchOf(2), ["loss"]);
    await programs.run(batchOf(1));
    await programs.run(batchOf(3));
    expect((await running).loss).toHaveLength(1);
    await expect(second.run(batchOf(2))).rejects.toThrow("The program has been destroyed");
    await first.run(batchOf(1));
    await programs.run(batchOf(2));
    expect(compiled).toEqual([1, 2, 3, 2]);
    await expect(first.run(batchOf(1))).rejects.toThrow("The program has been destroyed");
  });

  it("take inputs that are the same for every batch, and leave out those that no output needs", async () => {
    using programs = new BatchPrograms(gpu(), (batchSize) => {
      const graph = new Graph();
      graph.input("labels", [batchSize]);
      const weights = graph.input("weights", [2, 3]);
      const x = graph.input("x", [batchSize, 2]);
      return { outputs: { y: dense(x, weights, graph.parameter("b", [3], constant(1))) } };
    });
    const weights = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(await programs.run({ x: Float32Array.of(1, 0, 0, 1), weights })).toEqual({
      y: Float32Array.of(2, 3, 4, 5, 6, 7),
    });
    await expect(programs.run({ x: Float32Array.of(1, 0) })).rejects.toThrow('"weights" [2, 3] was not fed');
    await expect(programs.run({ weights })).rejects.toThrow(
      'None of the inputs that grow with the batch was fed: "labels", "x".',
    );
  });

  it("say in one sentence what is wrong with a batch, and run the next one", async () => {
    using programs = new BatchPrograms(gpu(), regression);
    const { x, y } = batchOf(4);
    await expect(programs.run({ x, y: y.subarray(1) })).rejects.toThrow(
      '"x" was fed 4 examples and "y" 3 examples: feed all inputs of a batch alike.',
    );
    await expect(programs.run({ x: x.subarray(1), y })).rejects.toThrow(
      'The input "x" was fed 11 numbers, and takes 3 for each example of a batch: it is [1, 3] for one.',
    );
    await expect(programs.run({ x: new Float32Array(0), y })).rejects.toThrow('"x" was fed 0 numbers');
    await expect(programs.run({ x })).rejects.toThrow('The input "y" [4, 1] was not fed.');
    const whole = Uint32Array.of(1, 2, 3);
    // @ts-expect-error whole numbers for an input of f32, where the inputs' types are said
    const wrong = (typed: BatchPrograms<{ loss: "f32" }, { x: "f32" }>) => typed.run({ x: whole });
    expect(wrong).toBeTypeOf("function");
    await expect(programs.run({ x: whole, y: y.subarray(0, 1) })).rejects.toThrow(
      "takes a Float32Array of 3",
    );
    await expect(
      programs.run({ x: [1, 2, 3] as unknown as Float32Array, y: y.subarray(0, 1) }),
    ).rejects.toThrow("takes a Float32Array of 3 values, and was fed a Array of 3");
    await expect(programs.prepare(1.5)).rejects.toThrow("A batch of 1.5 examples");
    expect((await programs.run({ x, y })).prediction).toHaveLength(4);

    programs.destroy();
    await expect(programs.run({ x, y })).rejects.toThrow("The programs have been destroyed");
  });

  it("hand on what goes wrong with one size, and go on with others", async () => {
    using programs = new BatchPrograms(gpu(), (batchSize) => {
      if (batchSize === 3) throw new Error("no batches of three");
      const x = new Graph().input("x", [batchSize]);
      return { outputs: { y: sum(relu(x)) } };
    });
    const [three, four] = await Promise.allSettled([
      programs.run({ x: numbers(3) }),
      programs.run({ x: Float32Array.of(1, -2, 3, 4) }),
    ]);
    expect(three).toMatchObject({ reason: { message: "no batches of three" } });
    expect(four).toMatchObject({ value: { y: Float32Array.of(8) } });
  });

  it("free a program whose compiling was under way when they were destroyed", async () => {
    const before = gpu().bytes;
    const programs = new BatchPrograms(gpu(), regression);
    const running = programs.run(batchOf(2));
    await Promise.resolve();
    programs.destroy();
    await expect(running).rejects.toThrow("destroyed");
    expect(gpu().bytes).toBe(before);
  });

  it("refuse graphs of which they cannot tell the batch size", () => {
    const make = (build: (batchSize: number) => number[], name = "x") =>
      new BatchPrograms(gpu(), (batchSize) => ({
        outputs: { y: relu(new Graph().input(name, build(batchSize))) },
      }));
    expect(() => make(() => [3])).toThrow('no input\'s shape depends on the batch size ("x")');
    expect(() => make((batchSize) => [batchSize + 1])).toThrow(
      'the input "x" is [2] for a batch of 1 and [3] for one of 2: give it the batch as an extent',
    );
    expect(() => new BatchPrograms(gpu(), () => ({ outputs: {} }))).toThrow("there is nothing to compute");
    expect(() => new BatchPrograms(gpu(), regression, { keep: 0 })).toThrow("keep is 0");
  });
});
