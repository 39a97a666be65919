import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { compile } from "../../src/graph/compile.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Program } from "../../src/graph/program.ts";
import type { f32, u32 } from "../../src/kernels/kernel.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import { ones } from "../../src/graph/initializers.ts";
import { add } from "../../src/graph/ops/add.ts";
import { argmax } from "../../src/graph/ops/argmax.ts";
import { cast } from "../../src/graph/ops/cast.ts";
import { fill } from "../../src/graph/ops/fill.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { Variables } from "../../src/graph/variables.ts";
import { useGpu } from "../helpers/gpu.ts";

describe("a program", () => {
  const gpu = useGpu();

  it("runs a graph and its gradient, and frees what it took", async () => {
    const before = gpu().bytes;
    const graph = new Graph();
    const x = graph.input("x", []);
    const y = add(relu(x), x);
    const dx = gradients(y, [x]).get(x)!;
    const program = await compile(gpu(), { outputs: { y, dx } });
    expect(await program.run({ x: Float32Array.of(3) })).toEqual({
      y: Float32Array.of(6),
      dx: Float32Array.of(2),
    });
    expect(await program.run({ x: Float32Array.of(-3) })).toEqual({
      y: Float32Array.of(-3),
      dx: Float32Array.of(1),
    });
    program.destroy();
    expect(gpu().bytes).toBe(before);
  });

  it("knows its outputs, and where they are said its inputs, by name and type", async () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    const [y, labels] = [relu(x), argmax(x)];
    const before = gpu().bytes;
    {
      using program = await compile(gpu(), { outputs: { y, labels } });
      const numbers = { x: Float32Array.of(1, 3, 2, -1, -3, -2) };
      const results = await program.run(numbers);
      expectTypeOf(results).toEqualTypeOf<{ y: Float32Array; labels: Uint32Array }>();
      expect(results.labels).toEqual(Uint32Array.of(1, 0));
      expectTypeOf(await program.run(numbers, ["y"])).toEqualTypeOf<{ y: Float32Array }>();
      expectTypeOf(await program.read("labels")).toEqualTypeOf<Uint32Array>();
      expectTypeOf(program).toExtend<Program>();
    }
    expect(gpu().bytes).toBe(before);

    const said = () => compile<{ y: f32; labels: u32 }, { x: f32 }>(gpu(), { outputs: { y, labels } });
    type Said = Awaited<ReturnType<typeof said>>;
    expectTypeOf<Parameters<Said["run"]>[0]>().toEqualTypeOf<{ readonly x: Float32Array }>();
    // @ts-expect-error labels are whole numbers
    const wrong = () => compile<{ labels: f32 }>(gpu(), { outputs: { labels } });
    // What is stored as f16 is read as f32.
    const half = async () => {
      const program = await compile(gpu(), { outputs: { half: cast(x, "f16") } });
      expectTypeOf(await program.read("half")).toEqualTypeOf<Float32Array>();
    };
    expect([said, wrong, half]).toHaveLength(3);
  });

  it("gives the same bits in one submission and in several", async () => {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const y = add(relu(x), x);
    const options = { outputs: { y, z: add(relu(y), x) }, fuse: false };
    const feeds = { x: Float32Array.of(0.1, -2, 3e-5, -4) };
    const submit = vi.spyOn(gpu().device.queue, "submit");
    try {
      const whole = await compile(gpu(), options);
      const cut = await compile(gpu(), { ...options, submissionSeconds: 0 });
      submit.mockClear();
      const expected = await whole.run(feeds);
      expect(submit).toHaveBeenCalledTimes(1);
      // Several runs in flight, as in training.
      const runs = await Promise.all([cut.run(feeds), cut.run(feeds)]);
      expect(submit).toHaveBeenCalledTimes(1 + 2 * cut.summary.dispatches);
      expect(cut.summary.dispatches).toBeGreaterThan(1);
      expect(runs).toEqual([expected, expected]);
      whole.destroy();
      cut.destroy();
    } finally {
      submit.mockRestore();
    }
  });

  it("takes numbers that threads share", async () => {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const program = await compile(gpu(), { outputs: { y: relu(x) } });
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.set([1, -2, 3, -4]);
    expect(await program.run({ x: shared })).toEqual({ y: Float32Array.of(1, 0, 3, 0) });
    program.destroy();
  });

  it("is refused alone where two are compiled at once and one finds no memory", async () => {
    const before = gpu().bytes;
    const real = gpu().limits;
    // Of more bytes than the device lets a buffer have; without a limit of ours the device says so itself.
    const items = Math.ceil(real.maxBufferSize / 2 ** 26) + 1;
    const large = fill(new Graph(), [items, 2 ** 24], 1);
    const small = relu(new Graph().input("x", [2]));
    const unlimited = new Proxy(real, {
      get: (limits, name: keyof GPUSupportedLimits) => (name === "maxBufferSize" ? Infinity : limits[name]),
    });
    const orders = [
      [large, small],
      [small, large],
    ];
    Object.assign(gpu(), { limits: unlimited });
    try {
      for (const order of orders) {
        const outcomes = await Promise.allSettled(order.map((y) => compile(gpu(), { outputs: { y } })));
        for (const [i, outcome] of outcomes.entries()) {
          if (order[i] === large) {
            expect(outcome).toMatchObject({
              reason: { name: "GpuError", kind: expect.any(String) as string },
            });
            continue;
          }
          if (outcome.status === "rejected") throw outcome.reason as Error;
          expect(await outcome.value.run({ x: Float32Array.of(-1, 2) })).toEqual({
            y: Float32Array.of(0, 2),
          });
          outcome.value.destroy();
        }
      }
    } finally {
      Object.assign(gpu(), { limits: real });
    }
    expect(gpu().bytes).toBe(before);
  });

  it("says in a sentence what a caller without types got wrong", async () => {
    const graph = new Graph();
    const y = relu(graph.input("x", [2]));
    const attempt = (options: unknown, device: unknown = gpu()) =>
      compile(device as Gpu, options as { outputs: { y: typeof y } });
    await expect(attempt({ outputs: {} })).rejects.toThrow("There is nothing to compute");
    await expect(attempt({})).rejects.toThrow("There is nothing to compute");
    await expect(attempt({ outputs: { y: 3 } })).rejects.toThrow('The output "y" is no tensor of a graph.');
    await expect(attempt({ outputs: { y } }, Promise.resolve(gpu()))).rejects.toThrow(
      "takes an open Gpu first",
    );
    using program = await attempt({ outputs: { y } });
    await expect(program.run(undefined as never)).rejects.toThrow('The input "x" [2] was not fed.');
  });

  it("says that it has been destroyed, and so do its variables", async () => {
    const graph = new Graph();
    const variables = new Variables(gpu());
    const outputs = { y: add(graph.input("x", [2]), graph.parameter("w", [2], ones)) };
    const [program, other] = [
      await compile(gpu(), { outputs, variables }),
      await compile(gpu(), { outputs, variables }),
    ];
    const feeds = { x: Float32Array.of(1, 2) };
    const running = program.run(feeds);
    program.destroy();
    program.destroy();
    expect(await running).toEqual({ y: Float32Array.of(2, 3) });
    const gone = "The program has been destroyed: compile it again to run it.";
    await expect(program.run(feeds)).rejects.toThrow(gone);
    await expect(program.read("y")).rejects.toThrow(gone);
    await expect(program.profile(feeds)).rejects.toThrow(gone);

    variables.destroy();
    variables.destroy();
    const lost = "The variables have been destroyed";
    await expect(other.run(feeds)).rejects.toThrow(lost);
    await expect(variables.read("w")).rejects.toThrow(lost);
    expect(() => variables.write("w", feeds.x)).toThrow(lost);
    expect(() => variables.shapes()).toThrow(lost);
    await expect(compile(gpu(), { outputs, variables })).rejects.toThrow(lost);
    other.destroy();
    await gpu().idle();
  });
});
