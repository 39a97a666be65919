import { describe, expect, it } from "vitest";
import { Graph, variableParts } from "../../../src/graph/graph.ts";
import type { Node, Tensor } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import { adamw } from "../../../src/graph/optimizers/adamw.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { sgd } from "../../../src/graph/optimizers/sgd.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { LimitedGraph } from "../../helpers/limited-graph.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

type Slopes = Parameters<typeof sgd>[0];
type Options = Parameters<typeof sgd>[1];
const OPTIMIZERS = {
  rmsprop,
  adam,
  adamw,
  sgd: (slopes: Slopes, options: Options) => sgd(slopes, { weightDecay: 0.1, ...options }),
  momentum: (slopes: Slopes, options: Options) => sgd(slopes, { momentum: 0.9, ...options }),
};
type Name = keyof typeof OPTIMIZERS;
const NAMES = Object.keys(OPTIMIZERS) as Name[];
/** Buffers that suffice for one parameter and not for two. */
const FEWEST: Readonly<Record<Name, number>> = { rmsprop: 5, adam: 5, adamw: 6, sgd: 4, momentum: 5 };
/** As its nodes are called. */
const opOf = (optimizer: Name): string => (optimizer === "momentum" ? "sgd" : optimizer);

/** Lengths of every remainder by 4, of less and of more than a workgroup, one of them a scalar. */
const SHAPES: Shape[] = [
  [],
  [3],
  [59],
  [7, 11],
  [3001],
  [2, 3, 5],
  [4],
  [64],
  [3, 3, 8, 4],
  [12],
  [256],
  [2000],
  [3, 3, 4, 20],
  [260],
  [8],
  [16, 16],
];

/** Bytes of a binding that the two longest do not fit into. */
const CUT = 4096;

/** One optimizer over parameters `w0`, `w1`, .. whose gradients are fed as `g0`, `g1`, .. */
function build(optimizer: Name, shapes: readonly Shape[], graph = new Graph()): Node[] {
  const slopes = shapes.map((shape, i) => {
    const parameter = graph.parameter(`w${i}`, shape, () => randomInput(shape, 100 + i).data);
    return [parameter, graph.input(`g${i}`, shape)] as const;
  });
  const learningRate = graph.input("rate", []);
  return OPTIMIZERS[optimizer](new Map(slopes), { learningRate });
}

describe("an optimizer of many parameters", () => {
  const gpu = useGpu();

  async function train(optimizer: Name, { buffers, bytes }: { buffers?: number; bytes?: number }) {
    const graph = buffers ? new LimitedGraph(buffers) : new Graph();
    const updates = build(optimizer, SHAPES, graph);
    const variables = new Variables(gpu());
    const program = await compile(gpu(), {
      outputs: {},
      updates,
      variables,
      ...(bytes && { maxBindingBytes: bytes }),
    });
    for (const step of [1, 2, 3]) {
      const gradients = SHAPES.map((shape, i) => {
        const { data } = randomInput(shape, 1000 * step + i);
        return [`g${i}`, data.map((value, j) => value * 10 ** -(j % 6))] as const;
      });
      await program.run({ rate: Float32Array.of(1e-2 / step), ...Object.fromEntries(gradients) });
    }
    const values = await variables.readAll();
    const { dispatches } = program.plan.summary;
    program.destroy();
    variables.destroy();
    const bits = [...values].map(([name, { data }]) => [name, new Uint32Array(data.buffer)] as const);
    return { dispatches, bits: Object.fromEntries(bits) };
  }

  describe.each(NAMES)("%s", (optimizer) => {
    it("gives the same bits however many parameters a dispatch takes", async () => {
      const single = await train(optimizer, { buffers: FEWEST[optimizer] });
      const eight = await train(optimizer, { buffers: 8 });
      const all = await train(optimizer, {});
      expect(single.dispatches).toBeGreaterThanOrEqual(SHAPES.length);
      if (optimizer !== "adam" && optimizer !== "adamw")
        expect(eight.dispatches).toBeLessThan(single.dispatches);
      if (gpu().limits.maxStorageBuffersPerShaderStage > 8)
        expect(all.dispatches).toBeLessThan(eight.dispatches);
      expect(eight.bits).toEqual(single.bits);
      expect(all.bits).toEqual(single.bits);
      const cut = await train(optimizer, { bytes: CUT });
      expect(cut.dispatches).toBeGreaterThan(all.dispatches);
      expect(cut.bits).toEqual(single.bits);
    });

    it("takes few dispatches and shaders, whatever the sizes", () => {
      // 256 and 45 parameters that can and cannot be taken by fours.
      const shapes = Array.from({ length: 301 }, (_, i) => [i < 45 ? 4 * i + 1 : 4 * i, 7]);
      const planned = (maxStorageBuffers: number) => {
        const updates = build(optimizer, shapes);
        return plan({ outputs: {}, updates }, { ...paperTarget, maxStorageBuffers });
      };
      const own = (maxStorageBuffers: number) => {
        const dispatches = planned(maxStorageBuffers).dispatches.filter(
          ({ node }) => node.op.name === opOf(optimizer),
        );
        return [dispatches.length, new Set(dispatches.map(({ kernel }) => kernel.wgsl)).size];
      };
      const expected = {
        rmsprop: { 8: [128 + 23, 3], 16: [52 + 9, 3] },
        adam: { 8: [301, 2], 16: [86 + 15, 3] },
        // A scalar more for all.
        adamw: { 8: [301, 2], 16: [86 + 15, 3] },
        sgd: { 8: [86 + 15, 3], 16: [37 + 7, 4] },
        momentum: { 8: [128 + 23, 3], 16: [52 + 9, 3] },
      };
      expect(own(8)).toEqual(expected[optimizer][8]);
      expect(own(16)).toEqual(expected[optimizer][16]);
    });

    it("binds nothing twice in one dispatch that it writes", async () => {
      const graph = new Graph();
      const shapes = SHAPES.filter(({ length }) => length > 0);
      const parameters = shapes.map((shape, i) => graph.parameter(`w${i}`, shape, zeros));
      // All parameters of one shape share a gradient.
      const gradientOf = new Map<string, Tensor>();
      const slopes = [...parameters, ...[0, 1, 2].map((i) => graph.parameter(`again${i}`, [64], zeros))].map(
        (parameter) => {
          const key = parameter.shape.join();
          const gradient = gradientOf.get(key) ?? graph.input(`g${key}`, parameter.shape);
          gradientOf.set(key, gradient);
          return [parameter, gradient] as const;
        },
      );
      const updates = OPTIMIZERS[optimizer](new Map(slopes), { learningRate: 1e-3 });
      for (const maxBindingBytes of [2 ** 20, CUT]) {
        const { dispatches } = plan(
          { outputs: {}, updates },
          { ...paperTarget, maxStorageBuffers: 16, maxBindingBytes },
        );
        for (const { bindings } of dispatches) {
          const written = bindings.filter(({ access }) => access === "read_write").map(({ owner }) => owner);
          expect(new Set(written).size).toBe(written.length);
          for (const { owner, access } of bindings)
            if (access === "read") expect(written).not.toContain(owner);
          expect(bindings.length).toBeLessThanOrEqual(16);
        }
      }
      const program = await compile(gpu(), { outputs: {}, updates });
      const feeds = [...gradientOf.values()].map(
        ({ name, shape }) => [name, randomInput(shape, 1).data] as const,
      );
      await program.run(Object.fromEntries(feeds));
      gpu().check();
      program.destroy();
    });

    it("cuts the slots of a stacked parameter like the parameter", () => {
      const graph = new Graph();
      const parts = [
        { name: "a", shape: [2, 2], initializer: zeros },
        { name: "b", shape: [3], initializer: zeros },
      ];
      const stack = graph.stackedParameter("stack", parts);
      OPTIMIZERS[optimizer](new Map([[stack, graph.input("g", stack.shape)]]), {
        learningRate: 1,
        name: "o",
      });
      const slots = [...graph.variables.values()].filter(({ name }) => name.startsWith("stack/"));
      const suffixes = { adam: ["o_m", "o_v"], adamw: ["o_m", "o_v"], sgd: [] }[optimizer as string] ?? ["o"];
      expect(slots.flatMap(variableParts).map(({ name, shape }) => [name, shape])).toEqual(
        suffixes.flatMap((suffix) => [
          [`a/${suffix}`, [2, 2]],
          [`b/${suffix}`, [3]],
        ]),
      );
    });

    it("refuses a learning rate that is no number from 0, and a factor of it", () => {
      const graph = new Graph();
      const slopes = new Map([[graph.parameter("w", [2], zeros), graph.input("g", [2])]]);
      for (const learningRate of [-1, NaN, Infinity, undefined as unknown as number]) {
        expect(() => OPTIMIZERS[optimizer](slopes, { learningRate })).toThrow(
          `${opOf(optimizer)}: learningRate must be a number from 0, and ${learningRate} is not.`,
        );
      }
      const updates = OPTIMIZERS[optimizer](slopes, { learningRate: 0, learningRateScale: () => NaN });
      expect(() => plan({ outputs: {}, updates }, paperTarget)).toThrow(
        `${opOf(optimizer)}: learningRateScale of "w" must be a number from 0, and NaN is not.`,
      );
    });

    it("refuses a gradient that the step updates, and does nothing without parameters", () => {
      const graph = new Graph();
      const [a, b] = ["a", "b"].map((name) => graph.parameter(name, [2], zeros));
      const slopes = new Map([
        [a, graph.input("g", [2])],
        [b, a],
      ]);
      expect(() => OPTIMIZERS[optimizer](slopes, { learningRate: 1 })).toThrow(
        `${opOf(optimizer)} cannot read "a" in the step that updates it.`,
      );
      expect(OPTIMIZERS[optimizer](new Map(), { learningRate: 1 })).toEqual([]);
    });
  });
});
