import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import type { Node, Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import { together } from "../../src/graph/op.ts";
import type { Lowering, Op } from "../../src/graph/op.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { defineKernel } from "../../src/kernels/kernel.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { paperTarget } from "../helpers/target.ts";

/** A kernel that exists only on paper, with the bindings `read` and `write`. */
function paperKernel(label: string, read: readonly string[], write: readonly string[]): Kernel {
  const buffers = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, "array<f32>"]));
  return defineKernel({ label, read: buffers(read), write: buffers(write), workgroups: [1, 1, 1], body: "" });
}

const planned = (outputs: Record<string, Tensor>, updates: Node[] = []): Plan =>
  plan({ outputs, updates }, paperTarget);

const labels = ({ dispatches }: Plan): string[] => dispatches.map(({ kernel }) => kernel.label);

describe("ops that run together", () => {
  /** Moves a variable: `add` runs all its neighbours in one dispatch, whose label tells their number. */
  const runner =
    (name: string, seen: string[][] = []) =>
    (l: Lowering, variables: readonly Tensor[]): void => {
      seen.push(variables.map((variable) => variable.name));
      const names = variables.map((_, i) => `w${i}`);
      const operands = Object.fromEntries(variables.map((variable, i) => [`w${i}`, variable]));
      l.dispatch(paperKernel(`${name}_${variables.length}`, [], names), operands);
    };
  const update = (
    variable: Tensor,
    lower: (l: Lowering, variables: readonly Tensor[]) => void,
    change: Partial<Op> = {},
  ): Node =>
    variable.graph.apply(
      { name: "update", outputs: [], updates: [variable], together: together(variable, lower), ...change },
      [variable],
    );
  const some = (graph: Graph, count: number): Tensor[] =>
    Array.from({ length: count }, (_, i) => graph.parameter(`p${i}`, [4], zeros));

  it("are lowered once, in their order", () => {
    const seen: string[][] = [];
    const add = runner("add", seen);
    const updates = some(new Graph(), 3).map((variable) => update(variable, add));
    expect(labels(planned({}, updates))).toEqual(["add_3"]);
    expect(seen).toEqual([["p0", "p1", "p2"]]);
  });

  it("are those next to each other with one function, when they run: other work in between comes before", () => {
    const graph = new Graph();
    const [a, b, c, d] = some(graph, 4);
    const [add, subtract] = [runner("add"), runner("subtract")];
    const first = update(a, add);
    const y = relu(graph.input("x", [4]));
    const updates = [first, update(b, add), update(c, subtract), update(d, add)];
    expect(labels(planned({ y }, updates))).toEqual(["relu", "add_2", "subtract_1", "add_1"]);
    expect(labels(planned({}, [updates[0], updates[3]]))).toEqual(["add_2"]);
  });

  it("may each write what is its own and nothing else", () => {
    const graph = new Graph();
    const [a, b, other] = some(graph, 3);
    const wrong = (l: Lowering): void => l.dispatch(paperKernel("wrong", [], ["w"]), { w: other });
    expect(() => planned({}, [update(a, wrong), update(b, wrong)])).toThrow(
      'update: wrong writes "p2", which is not its to write.',
    );
  });

  it("cannot change one variable twice", () => {
    const [a] = some(new Graph(), 1);
    const add = runner("add");
    expect(() => planned({}, [update(a, add), update(a, add)])).toThrow(
      'update would use "p0" after update has updated it.',
    );
  });

  it("must say how they run, as any op", () => {
    const [a] = some(new Graph(), 1);
    const silent = a.graph.apply({ name: "silent", outputs: [], updates: [a] }, [a]);
    expect(() => planned({}, [silent])).toThrow("silent does not say how it runs.");
  });
});

describe("Lowering.uses", () => {
  /** x twice over, as `main` and as `extra`, which is found only where it is used. */
  function twice(x: Tensor): { main: Tensor; extra: Tensor; node: Node } {
    const [alone, both] = [paperKernel("main", ["x"], ["y"]), paperKernel("both", ["x"], ["y", "z"])];
    const node = x.graph.apply(
      {
        name: "twice",
        outputs: [x, x],
        lower(l, [y, z]) {
          if (l.uses(z)) l.dispatch(both, { x, y, z });
          else l.dispatch(alone, { x, y });
        },
      },
      [x],
    );
    return { main: node.outputs[0], extra: node.outputs[1], node };
  }
  const input = (): Tensor => new Graph().input("x", [8]);

  it("is false of an output that nobody reads, which then takes no memory", () => {
    const { main, extra } = twice(input());
    // It is read, but not in this program.
    relu(extra);
    const { blocks, dispatches } = planned({ main });
    expect(dispatches.map(({ kernel }) => kernel.label)).toEqual(["main"]);
    expect(blocks).toEqual([32]);
  });

  it("is true of one that the caller asks for, or another op reads", () => {
    const first = twice(input());
    expect(labels(planned({ main: first.main, extra: first.extra }))).toEqual(["both"]);
    expect(labels(planned({ extra: first.extra }))).toEqual(["both"]);
    const second = twice(input());
    const y = relu(second.extra);
    expect(labels(planned({ y }))).toEqual(["both", "relu"]);
    expect(labels(planned({ main: second.main }))).toEqual(["main"]);
  });

  it("is true of one that an automatic update reads", () => {
    const { main, extra } = twice(input());
    const moving = main.graph.state("moving", [8], zeros);
    main.graph.apply(
      {
        name: "move",
        outputs: [],
        updates: [moving],
        automatic: true,
        lower: (l) => l.dispatch(paperKernel("move", ["x"], ["w"]), { x: extra, w: moving }),
      },
      [extra, moving],
    );
    expect(labels(planned({ main }))).toEqual(["both", "move"]);
  });
});

describe("Lowering.overwrites", () => {
  const inPlace = paperKernel("in_place", [], ["y"]);
  /** Writes over x where it may, and else copies it; `type` of its output. */
  const change = (x: Tensor, type: Op["outputs"][number] = x): Tensor =>
    x.graph.apply(
      {
        name: "change",
        outputs: [type],
        lower(l, [y]) {
          if (l.overwrites(x, y)) l.dispatch(inPlace, { y });
          else l.dispatch(paperKernel("copied", ["x"], ["y"]), { x, y });
        },
      },
      [x],
    ).outputs[0];
  const computed = (): Tensor => relu(new Graph().input("x", [8]));

  it("keeps the input's memory until the last reader of what lies there now", () => {
    const x = computed();
    const changed = change(x);
    const other = relu(relu(relu(x.graph.input("z", [8]))));
    const sum = x.graph.apply(
      {
        name: "both",
        outputs: [x],
        lower: (l, [y]) => l.dispatch(paperKernel("both", ["a", "b"], ["y"]), { a: changed, b: other, y }),
      },
      [changed, other],
    ).outputs[0];
    const { lifetimes, dispatches } = planned({ sum });
    const life = lifetimes.find(({ owner }) => owner === x);
    expect(life).toMatchObject({ first: 0, last: dispatches.length - 1 });
    expect(lifetimes.some(({ owner }) => owner === changed)).toBe(false);
  });

  it("is refused where numbers would be lost or do not fit", () => {
    const x = computed();
    const larger = { shape: [16], dtype: "f32" } as const;
    const variable = x.graph.parameter("w", [8], zeros);
    for (const y of [
      relu(change(x, larger)),
      relu(change(variable)),
      relu(change(x.graph.input("fed", [8]))),
    ])
      expect(labels(planned({ y }))).toContain("copied");
    const changed = change(x);
    expect(labels(planned({ changed }))).toContain("copied");
    expect(labels(planned({ x, y: relu(changed) }))).toContain("copied");
    expect(labels(planned({ y: relu(changed), z: relu(x) }))).toContain("copied");
  });
});

describe("Lowering.dispatch", () => {
  const lowered = (lower: NonNullable<Op["lower"]>): Plan => {
    const x = new Graph().input("x", [8]);
    return planned({ y: x.graph.apply({ name: "toy", outputs: [x], lower }, [x]).outputs[0] });
  };

  it("binds whole tensors and scratch, each in a block of its own", () => {
    const { dispatches, blocks } = lowered((l, [y]) => {
      l.dispatch(paperKernel("toy", [], ["y", "z"]), { y, z: l.scratch(48) });
    });
    expect(dispatches[0].bindings.map(({ offset, bytes, access }) => [offset, bytes, access])).toEqual([
      [0, 32, "read_write"],
      [0, 48, "read_write"],
    ]);
    expect(blocks).toEqual([48, 32]);
  });

  it("refuses operands that do not fit the kernel", () => {
    const kernel = paperKernel("toy", [], ["y"]);
    expect(() => lowered((l, [y]) => l.dispatch(kernel, { y, z: y }))).toThrow('toy has no binding "z".');
    expect(() => lowered((l) => l.dispatch(kernel, {}))).toThrow('toy: the binding "y" is bound to nothing.');
    const large = paperTarget.maxBindingBytes + 4;
    expect(() => lowered((l) => l.dispatch(kernel, { y: l.scratch(large) }))).toThrow(
      `toy binds ${large} bytes of "scratch" at once and the adapter allows ${paperTarget.maxBindingBytes}`,
    );
  });
});
