import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { beginOf, Graph, STACK_ALIGNMENT, storageOf } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { part, partAt } from "../../../src/graph/ops/part.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

const SIZES = { a: [2, 3], b: [70], c: [5] } as const;
const values = (name: keyof typeof SIZES): Float32Array => randomInput(SIZES[name], name.charCodeAt(0)).data;

function build(): { graph: Graph; stack: Tensor; a: Tensor; b: Tensor; c: Tensor } {
  const graph = new Graph();
  const parts = (["a", "b", "c"] as const).map((name) => ({
    ...{ name, shape: SIZES[name], initializer: () => values(name) },
  }));
  const stack = graph.stackedParameter("stack", parts);
  return { graph, stack, a: part(stack, "a"), b: part(stack, "b"), c: part(stack, "c") };
}

/** Numbers of a stack with these at the places of its parts, and zeros between. */
function stacked(parts: Partial<Record<keyof typeof SIZES, ArrayLike<number>>>): Float32Array {
  const whole = new Float32Array(4 * STACK_ALIGNMENT);
  const begins = { a: 0, b: STACK_ALIGNMENT, c: 3 * STACK_ALIGNMENT };
  for (const [name, numbers] of Object.entries(parts)) whole.set(numbers, begins[name as "a"]);
  return whole;
}

/** Runs a program whose only output is `y`. */
async function computed(y: Tensor, feeds: Record<string, Float32Array> = {}): Promise<Float32Array> {
  const program = await compile(gpu(), { outputs: { y } });
  try {
    return (await program.run(feeds)).y as Float32Array;
  } finally {
    program.destroy();
  }
}

describe("part", () => {
  it("is one of the parts of a stack, in its own shape, where it lies", async () => {
    const { stack, a, b, c } = build();
    expect(stack.shape).toEqual([4 * STACK_ALIGNMENT]);
    expect([a, b, c].map(({ shape }) => shape)).toEqual(Object.values(SIZES));
    expect([a, b, c].map(beginOf)).toEqual([0, STACK_ALIGNMENT, 3 * STACK_ALIGNMENT]);
    for (const each of [a, b, c]) expect(storageOf(each)).toBe(stack);
    expect(await computed(scale(b, 1))).toEqual(values("b"));
    expect(await computed(scale(c, 2))).toEqual(values("c").map((value) => 2 * value));
    expect(await computed(scale(stack, 1))).toEqual(
      stacked({ a: values("a"), b: values("b"), c: values("c") }),
    );
  });

  it("costs no dispatch", () => {
    const { c } = build();
    expect(plan({ outputs: { y: scale(c, 2) } }, paperTarget).dispatches).toHaveLength(1);
  });

  it("refuses a name that there is not, and numbers that x does not have", () => {
    const { stack } = build();
    expect(() => part(stack, "d")).toThrow('part: "stack" has no part "d".');
    expect(() => partAt(stack, 192, [65])).toThrow('partAt: "stack" [256] has no [65] from element 192 on.');
    expect(() => partAt(stack, 4, [2])).toThrow("has no [2] from element 4 on");
    expect(() => partAt(stack, -64, [2])).toThrow("has no [2] from element -64 on");
  });
});

describe("the gradient of a stack", () => {
  const dy = (name: keyof typeof SIZES): Float32Array => randomInput(SIZES[name], 9).data;
  const seeded = (y: Tensor, name: keyof typeof SIZES): Tensor => {
    const input = y.graph.inputs.get(`d${name}`) ?? y.graph.input(`d${name}`, y.shape);
    return dot(y, input);
  };
  const of = (loss: Tensor, stack: Tensor): Tensor => gradients(loss, [stack]).get(stack)!;

  it("is made of those of its parts, and zero between and where no part is used", async () => {
    const { stack, a, c } = build();
    const loss = add(seeded(scale(a, 2), "a"), seeded(scale(c, 3), "c"));
    expect(await computed(of(loss, stack), { da: dy("a"), dc: dy("c") })).toEqual(
      stacked({ a: dy("a").map((value) => 2 * value), c: dy("c").map((value) => 3 * value) }),
    );
  });

  it("adds up what comes from several uses of a part, and from the whole", async () => {
    const { graph, stack, b } = build();
    const again = part(stack, "b");
    const whole = graph.input("dstack", stack.shape);
    const loss = add(
      add(seeded(scale(b, 2), "b"), seeded(scale(again, 4), "b")),
      dot(scale(stack, 8), whole),
    );
    const ones = new Float32Array(4 * STACK_ALIGNMENT).fill(1);
    const expected = stacked({ b: dy("b").map((value) => Math.fround(2 * value) + Math.fround(4 * value)) });
    expect(await computed(of(loss, stack), { db: dy("b"), dstack: ones })).toEqual(
      expected.map((value) => value + 8),
    );
  });

  it("adds up what comes from parts that overlap", async () => {
    const { graph, stack } = build();
    const [first, second] = [partAt(stack, 0, [128]), partAt(stack, 64, [70])];
    const ofFirst = dot(first, graph.input("first", [128]));
    const loss = add(ofFirst, dot(second, graph.input("second", [70])));
    const expected = new Float32Array(4 * STACK_ALIGNMENT);
    for (let i = 0; i < 128; i++) expected[i] += 1;
    for (let i = 64; i < 134; i++) expected[i] += 2;
    const feeds = { first: new Float32Array(128).fill(1), second: new Float32Array(70).fill(2) };
    expect(await computed(of(loss, stack), feeds)).toEqual(expected);
  });

  it("reaches through a part of a part", async () => {
    const { stack, b } = build();
    const inner = partAt(b, 64, [6]);
    const expected = new Float32Array(70);
    expected.set(dy("a"), 64);
    const loss = dot(inner, stack.graph.input("da", [6]));
    expect(await computed(of(loss, stack), { da: dy("a") })).toEqual(stacked({ b: expected }));
  });
});

describe("the parts of a stack among the variables", () => {
  it("are read and written by their names, and what lies between stays zero", async () => {
    const { stack } = build();
    const variables = new Variables(gpu());
    const program = await compile(gpu(), { outputs: { y: scale(stack, 1) }, variables });
    expect(await variables.read("b")).toEqual(values("b"));
    const fresh = Float32Array.of(1, 2, 3, 4, 5);
    variables.write("c", fresh);
    const { y } = await program.run({});
    expect(y).toEqual(stacked({ a: values("a"), b: values("b"), c: fresh }));
    program.destroy();
    variables.destroy();
  });
});
