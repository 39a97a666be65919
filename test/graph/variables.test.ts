import { describe, expect, it } from "vitest";
import { Graph, STACK_ALIGNMENT, variableParts } from "../../src/graph/graph.ts";
import {
  constant,
  glorotUniform,
  ones,
  randomNormal,
  seededRandom,
  zeros,
} from "../../src/graph/initializers.ts";
import type { Initializer } from "../../src/graph/initializers.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { adam } from "../../src/graph/optimizers/adam.ts";
import { rmsprop } from "../../src/graph/optimizers/rmsprop.ts";
import { compile } from "../../src/graph/compile.ts";
import type { Program } from "../../src/graph/program.ts";
import { Variables } from "../../src/graph/variables.ts";
import { useGpu } from "../helpers/gpu.ts";

describe("Variables", () => {
  const gpu = useGpu();

  it("are shared by programs, initialised by seed and name, and freed", async () => {
    const before = gpu().bytes;
    const variables = new Variables(gpu(), { seed: 5 });
    const build = () => {
      const graph = new Graph();
      return compile(gpu(), { outputs: { y: relu(graph.parameter("w", [4], randomNormal(1))) }, variables });
    };
    const [first, second] = [await build(), await build()];
    expect(await variables.read("w")).toEqual(randomNormal(1)([4], seededRandom(5, "w")));
    variables.write("w", Float32Array.of(1, -1, 2, -2));
    for (const program of [first, second]) {
      expect(await program.run({})).toEqual({ y: Float32Array.of(1, 0, 2, 0) });
      program.destroy();
    }
    expect([...variables.shapes()]).toEqual([["w", [4]]]);
    variables.release((name) => name === "w");
    expect(gpu().bytes).toBe(before);
    await expect(variables.read("w")).rejects.toThrow('There is no variable "w".');
  });

  it("begin as copies of others, of what these hold by then, unless values are given", async () => {
    const parts = ["a", "b"].map((name) => ({ name, shape: [3], initializer: ones }));
    const build = async (variables: Variables): Promise<void> => {
      const graph = new Graph();
      const stack = graph.stackedParameter("stack", parts);
      const slot = graph.slotOf(stack, "copy", zeros, { copyOf: stack });
      (await compile(gpu(), { outputs: { stack: relu(stack), slot: relu(slot) }, variables })).destroy();
    };
    const given = { shape: [3], data: Float32Array.of(7, 8, 9) };
    const variables = new Variables(gpu(), { values: [["b/copy", given]] });
    const stack = new Graph().stackedParameter("stack", parts);
    (await compile(gpu(), { outputs: { stack: relu(stack) }, variables })).destroy();
    variables.write("a", Float32Array.of(1, 2, 3));
    variables.write("b", Float32Array.of(4, 5, 6));
    await build(variables);
    expect(await variables.read("a/copy")).toEqual(Float32Array.of(1, 2, 3));
    expect(await variables.read("b/copy")).toEqual(given.data);
    variables.write("a", Float32Array.of(0, 0, 0));
    expect(await variables.read("a/copy")).toEqual(Float32Array.of(1, 2, 3));
    variables.destroy();
  });

  it("exchange places with their slots, and back", async () => {
    const variables = new Variables(gpu());
    const graph = new Graph();
    // More than is exchanged at a time.
    const [w, alone] = [graph.parameter("w", [3, 2 ** 19], ones), graph.parameter("alone", [2], ones)];
    const slot = graph.slotOf(w, "slot", constant(2));
    const outputs = { w: relu(w), alone: relu(alone), slot: relu(slot) };
    const program = await compile(gpu(), { outputs, variables });
    const numbers = new Float32Array(3 * 2 ** 19).map((_, i) => i);
    variables.write("w", numbers);
    const bytes = gpu().bytes;
    const areNow = async (own: Float32Array, other: Float32Array): Promise<void> => {
      const [w, slot] = [await variables.read("w"), await variables.read("w/slot")];
      expect(Buffer.from(w.buffer).equals(Buffer.from(own.buffer))).toBe(true);
      expect(Buffer.from(slot.buffer).equals(Buffer.from(other.buffer))).toBe(true);
      expect(await variables.read("alone")).toEqual(Float32Array.of(1, 1));
    };
    const twos = new Float32Array(numbers.length).fill(2);
    variables.exchange("slot");
    await areNow(twos, numbers);
    variables.exchange("slot");
    await areNow(numbers, twos);
    variables.exchange("none");
    await areNow(numbers, twos);
    expect(gpu().bytes).toBe(bytes);
    program.destroy();
    variables.destroy();
  });

  it("refuse another shape and the wrong number of values", async () => {
    const variables = new Variables(gpu());
    const compiled = (shape: number[]) =>
      compile(gpu(), { outputs: { y: relu(new Graph().parameter("w", shape, ones)) }, variables });
    (await compiled([2, 3])).destroy();
    await expect(compiled([3, 2])).rejects.toThrow('The variable "w" is [2, 3] and the graph has [3, 2].');
    expect(() => variables.write("w", new Float32Array(5))).toThrow(
      'The variable "w" [2, 3] takes a Float32Array of 6 values, and was written a Float32Array of 5.',
    );
    expect(() => variables.write("w", [1, 2, 3, 4, 5, 6] as unknown as Float32Array)).toThrow(
      "was written a Array of 6",
    );
    expect(() => variables.write("v", new Float32Array(6))).toThrow('There is no variable "v"');
    variables.destroy();
  });

  it("refuse first values of another length, and give back what they took", async () => {
    const before = gpu().bytes;
    const compiled = (variables: Variables, initializer: Initializer = ones) =>
      compile(gpu(), { outputs: { y: relu(new Graph().parameter("w", [2, 3], initializer)) }, variables });
    const given = (data: Float32Array) => new Variables(gpu(), { values: [["w", { shape: [2, 3], data }]] });
    const short = given(new Float32Array(5));
    for (let time = 0; time < 2; time++) {
      await expect(compiled(short)).rejects.toThrow(
        'The variable "w" [2, 3] takes a Float32Array of 6 values, and was given a Float32Array of 5.',
      );
    }
    const plain = new Variables(gpu());
    await expect(compiled(plain, () => new Float32Array(2))).rejects.toThrow(
      'The variable "w" [2, 3] takes a Float32Array of 6 values, and its initializer gave a Float32Array of 2.',
    );
    await expect(compiled(plain, () => [1, 2, 3, 4, 5, 6] as unknown as Float32Array)).rejects.toThrow(
      "its initializer gave a Array of 6",
    );
    expect(gpu().bytes).toBe(before);
    (await compiled(plain)).destroy();
    plain.destroy();
    short.destroy();
  });

  it("say which of the values given no program has taken", async () => {
    const value = { shape: [1], data: Float32Array.of(2) };
    const variables = new Variables(gpu(), {
      values: [
        ["w", value],
        ["typo", value],
      ],
    });
    expect(variables.unclaimed).toEqual(["w", "typo"]);
    const y = relu(new Graph().parameter("w", [1], ones));
    (await compile(gpu(), { outputs: { y }, variables })).destroy();
    expect(variables.unclaimed).toEqual(["typo"]);
    variables.destroy();
  });

  it("are there or not after a program that found no memory, with the values given for them", async () => {
    const { device } = gpu();
    const before = gpu().bytes;
    const variables = new Variables(gpu(), {
      values: [["fresh", { shape: [2], data: Float32Array.of(3, 4) }]],
    });
    const graph = new Graph();
    const [old, fresh] = ["old", "fresh"].map((name) => graph.parameter(name, [2], ones));
    (await compile(gpu(), { outputs: { old: relu(old) }, variables })).destroy();
    const real = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) =>
      real(descriptor.label === "fresh" ? { ...descriptor, usage: 0 } : descriptor);
    try {
      const outputs = { y: relu(old), z: relu(fresh) };
      await expect(compile(gpu(), { outputs, variables })).rejects.toThrow(/^Making variables of 1 MiB on/);
      expect([...variables.shapes().keys()]).toEqual(["old"]);
      device.createBuffer = real;
      const program = await compile(gpu(), { outputs, variables });
      expect(await program.run({})).toEqual({ y: Float32Array.of(1, 1), z: Float32Array.of(3, 4) });
      program.destroy();
    } finally {
      device.createBuffer = real;
    }
    variables.destroy();
    expect(gpu().bytes).toBe(before);
  });
});

describe("the group of a variable", () => {
  const gpu = useGpu();

  it("picks what is read, listed and released", async () => {
    const graph = new Graph();
    const kernel = graph.parameter("kernel", [2], ones, { group: "mine" });
    const updates = [
      ...adam(new Map([[kernel, graph.input("d", [2])]]), { learningRate: 1, name: "any" }),
      ...rmsprop(new Map([[graph.parameter("bias", [2], ones), graph.input("e", [2])]]), { learningRate: 1 }),
    ];
    const before = gpu().bytes;
    const variables = new Variables(gpu());
    (await compile(gpu(), { outputs: {}, updates, variables })).destroy();
    const names = (group: string | null): string[] => [...variables.shapes((_, own) => own === group).keys()];
    expect(names("mine")).toEqual(["kernel"]);
    expect(names(null)).toEqual(["bias"]);
    expect(names("optimizer").sort()).toEqual(["any/step", "bias/rmsprop", "kernel/any_m", "kernel/any_v"]);
    expect([...(await variables.readAll((_, group) => group === "mine")).keys()]).toEqual(["kernel"]);
    variables.release((_, group) => group === "optimizer");
    expect([...variables.shapes().keys()].sort()).toEqual(["bias", "kernel"]);
    variables.destroy();
    expect(gpu().bytes).toBe(before);
  });

  it("is one group in a graph", () => {
    const graph = new Graph();
    graph.state("mean", [2], zeros, { group: "encoder" });
    expect(graph.state("mean", [2], zeros, { group: "encoder" }).variable!.group).toBe("encoder");
    expect(() => graph.state("mean", [2], zeros)).toThrow(
      'The variable "mean" exists as state [2] of the group "encoder" and was asked for as state [2].',
    );
  });
});

describe("a stacked variable", () => {
  const gpu = useGpu();
  const parts = [
    { name: "a/kernel", shape: [2, 3], initializer: randomNormal(1) },
    { name: "b/kernel", shape: [1], initializer: ones },
    { name: "c/kernel", shape: [5], initializer: randomNormal(2) },
  ];
  const valuesOf = (seed: number) =>
    parts.map(({ name, shape, initializer }) => initializer(shape, seededRandom(seed, name)));
  const flat = (arrays: Float32Array[]) => {
    const values = new Float32Array(arrays.length * STACK_ALIGNMENT);
    arrays.forEach((array, i) => values.set(array, i * STACK_ALIGNMENT));
    return values;
  };
  const compiled = (variables: Variables, graph = new Graph()) =>
    compile(gpu(), { outputs: { y: relu(graph.stackedParameter("stack", parts)) }, variables });

  it("is one tensor to the graph, its parts where a binding may begin, and its slots are cut like it", () => {
    const graph = new Graph();
    const stack = graph.stackedParameter("stack", parts);
    const { shape, variable } = stack;
    expect([shape, variable?.role]).toEqual([[192], "parameter"]);
    expect(variable?.begins).toEqual([0, 64, 128]);
    expect(
      graph.stackedParameter("frozen", [{ ...parts[0], name: "z" }], { trainable: false }).variable?.role,
    ).toBe("frozen");
    expect(variableParts(stack)).toEqual(parts);
    expect(graph.stackedParameter("stack", parts)).toBe(stack);
    expect([...graph.variables.keys()]).toEqual(["stack", "frozen"]);

    const slot = graph.slotOf(stack, "rmsprop", zeros);
    expect([slot.name, slot.shape, slot.variable?.role]).toEqual(["stack/rmsprop", [192], "state"]);
    expect(variableParts(slot).map(({ name, shape }) => [name, shape])).toEqual([
      ["a/kernel/rmsprop", [2, 3]],
      ["b/kernel/rmsprop", [1]],
      ["c/kernel/rmsprop", [5]],
    ]);
    expect(graph.slotOf(stack, "rmsprop", zeros)).toBe(slot);
    const plain = graph.parameter("w", [2, 2], ones);
    expect(variableParts(plain)).toEqual([{ name: "w", shape: [2, 2], initializer: ones }]);
    expect(graph.slotOf(plain, "m", zeros)).toBe(graph.state("w/m", [2, 2], zeros));
    expect(() => variableParts(relu(plain))).toThrow("is not a variable");
  });

  it("shares no part with another variable of its graph", () => {
    const graph = new Graph();
    graph.stackedParameter("stack", parts);
    expect(() => graph.parameter("b/kernel", [1], ones)).toThrow(
      'The variable "b/kernel" exists as a part of "stack" and was asked for as parameter [1].',
    );
    expect(() => graph.stackedState("other", [parts[2]])).toThrow(
      'The variable "c/kernel" exists as a part of "stack" and was asked for as a part of "other".',
    );
    expect(() => graph.stackedState("stack", parts)).toThrow(
      'The variable "stack" exists as parameter [192] of 3 parts and was asked for as state [192] of 3 parts.',
    );
    expect(() => graph.stackedParameter("stack", [parts[2], parts[1], parts[0]])).toThrow(
      '"stack" exists as',
    );
    graph.parameter("plain", [1], ones);
    expect(() => graph.stackedParameter("third", [{ ...parts[1], name: "plain" }])).toThrow(
      'The variable "plain" exists as parameter [1] and was asked for as a part of "third".',
    );
    const twice = [1, 2].map(() => ({ ...parts[1], name: "twice" }));
    expect(() => graph.stackedParameter("fourth", twice)).toThrow('"fourth" has two parts called "twice".');
    expect(() => graph.stackedParameter("none", [])).toThrow("cannot have the shape [0]");
  });

  it("starts from the parts' own values, and is read and written by their names", async () => {
    const before = gpu().bytes;
    const variables = new Variables(gpu(), { seed: 5 });
    const program = await compiled(variables);
    const [a, b, c] = valuesOf(5);
    expect([...variables.shapes()]).toEqual(parts.map(({ name, shape }) => [name, shape]));
    expect(await variables.read("c/kernel")).toEqual(c);
    expect(await program.run({})).toEqual({ y: flat([a, b, c]).map((x) => Math.max(x, 0)) });

    variables.write("b/kernel", Float32Array.of(7));
    expect(() => variables.write("b/kernel", new Float32Array(2))).toThrow(
      '"b/kernel" [1] takes a Float32Array of 1 values, and was written a Float32Array of 2',
    );
    const values = await variables.readAll();
    expect([...values].map(([name, { shape, data }]) => [name, shape, data])).toEqual([
      ["a/kernel", [2, 3], a],
      ["b/kernel", [1], Float32Array.of(7)],
      ["c/kernel", [5], c],
    ]);
    const some = await variables.readAll((name) => name !== "a/kernel");
    expect([...some].map(([name, { data }]) => [name, data])).toEqual([
      ["b/kernel", Float32Array.of(7)],
      ["c/kernel", c],
    ]);
    await expect(variables.read("stack")).rejects.toThrow('There is no variable "stack".');
    program.destroy();

    const saved = new Variables(gpu(), { values });
    (await compiled(saved)).destroy();
    expect(await saved.readAll()).toEqual(values);
    saved.destroy();

    expect(() => variables.release((name) => name === "b/kernel")).toThrow(
      '"b/kernel" cannot be released without "a/kernel": both lie in "stack".',
    );
    expect(variables.shapes().size).toBe(3);
    variables.release((name) => name.endsWith("/kernel"));
    expect([variables.shapes().size, gpu().bytes]).toEqual([0, before]);
  });

  it("is not mixed with the same variables in another form", async () => {
    const single = () => {
      const graph = new Graph();
      return { graph, y: relu(graph.parameter("b/kernel", [1], ones)) };
    };
    const stacked = new Variables(gpu());
    (await compiled(stacked)).destroy();
    await expect(compile(gpu(), { outputs: { y: single().y }, variables: stacked })).rejects.toThrow(
      'The variable "b/kernel" is kept as a part of "stack" and the graph has it alone: stack it the same way',
    );
    const other = relu(
      new Graph().stackedParameter("stack", [{ name: "d", shape: [12], initializer: ones }]),
    );
    await expect(compile(gpu(), { outputs: { y: other }, variables: stacked })).rejects.toThrow(
      'The variable "stack" is cut into other parts than the graph\'s',
    );
    stacked.destroy();

    const plain = new Variables(gpu());
    (await compile(gpu(), { outputs: { y: single().y }, variables: plain })).destroy();
    await expect(compiled(plain)).rejects.toThrow(
      'The variable "b/kernel" is kept alone and the graph has it as a part of "stack"',
    );
    expect([...plain.shapes().keys()]).toEqual(["b/kernel"]);
    plain.destroy();

    const given = new Variables(gpu(), { values: [["a/kernel", { shape: [6], data: new Float32Array(6) }]] });
    await expect(compiled(given)).rejects.toThrow(
      'The variable "a/kernel" was given as [6] and the graph has [2, 3].',
    );
    given.destroy();
  });
});

describe("Program", () => {
  const gpu = useGpu();

  it("says which feed is missing, unknown or misshapen, and which output there is not", async () => {
    const graph = new Graph();
    const program = await compile(gpu(), { outputs: { y: relu(graph.input("x", [2, 2])) } });
    await expect(program.run({})).rejects.toThrow('The input "x" [2, 2] was not fed.');
    await expect(program.run({ x: new Float32Array(3) })).rejects.toThrow(
      'The input "x" [2, 2] takes a Float32Array of 4 values, and was fed a Float32Array of 3.',
    );
    await expect(program.run({ x: new Uint32Array(4) })).rejects.toThrow(
      "takes a Float32Array of 4 values, and was fed a Uint32Array of 4.",
    );
    await expect(program.run({ x: new Float32Array(4), z: new Float32Array(1) })).rejects.toThrow(
      'The program has no input "z"; it has "x".',
    );
    await expect((program as Program).read("z")).rejects.toThrow('no output "z"; it has y.');
    expect(await program.run({ x: new Float32Array(4) }, [])).toEqual({});
    expect(await program.read("y")).toEqual(new Float32Array(4));
    program.destroy();
  });
});

describe("initializers", () => {
  it("have the distributions their names say", () => {
    const random = seededRandom(1, "x");
    const normal = randomNormal(0.02)([10_000], random);
    const mean = normal.reduce((a, b) => a + b) / normal.length;
    const deviation = Math.sqrt(normal.reduce((a, b) => a + (b - mean) ** 2, 0) / normal.length);
    expect(Math.abs(mean)).toBeLessThan(0.001);
    expect(deviation).toBeCloseTo(0.02, 3);
    const limit = Math.sqrt(6 / (9 * (64 + 32)));
    const glorot = glorotUniform([3, 3, 64, 32], random);
    expect(Math.max(...glorot)).toBeLessThanOrEqual(limit);
    expect(Math.max(...glorot)).toBeGreaterThan(0.99 * limit);
    expect(Math.min(...glorot)).toBeLessThan(-0.99 * limit);
    expect(constant(3)([2], random)).toEqual(Float32Array.of(3, 3));
    expect(seededRandom(1, "a")()).not.toBe(seededRandom(1, "b")());
  });
});
