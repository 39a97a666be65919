import { describe, expect, it } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { seededRandom } from "../../../src/graph/initializers.ts";
import { compile } from "../../../src/graph/compile.ts";
import { shapeText, sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import { TABLE } from "./table.ts";
import type { Domain, TableEntry } from "./table-entry.ts";

type Numbers = Float32Array | Uint32Array;

function draw(domain: Domain, shape: Shape, seed: number): Numbers {
  const random = seededRandom(seed, shape.join());
  const length = sizeOf(shape);
  if ("below" in domain) return Uint32Array.from({ length }, () => Math.floor(random() * domain.below));
  if ("levels" in domain)
    return Float32Array.from(
      { length },
      () => Math.floor(random() * domain.levels) - (domain.levels - 1) / 2,
    );
  const [low, high] = domain;
  return Float32Array.from({ length }, () => low + (high - low) * random());
}

const isUint = (domain: Domain): boolean => "below" in domain;

/** Every set of inputs of an entry. */
const setsOf = ({ shapes, domains }: TableEntry): Numbers[][] =>
  shapes.map((set) => set.map((shape, i) => draw(domains[i], shape, 10 + i)));

/** Results of every set, and the gradients of Σ y·dy by what has one, in one program. */
async function run(
  gpu: Gpu,
  entry: TableEntry,
  options: { maxBindingBytes?: number; fuse?: boolean; family?: "workgroup" } = {},
): Promise<Record<string, Numbers>> {
  const graph = new Graph();
  const feeds: Record<string, Numbers> = {};
  const outputs: Record<string, Tensor> = {};
  setsOf(entry).forEach((set, k) => {
    const inputs = set.map((values, i) => {
      const name = `x${k} ${i}`;
      feeds[name] = values;
      return graph.input(name, entry.shapes[k][i], isUint(entry.domains[i]) ? "u32" : "f32");
    });
    const y = (outputs[`y${k}`] = entry.build(...inputs));
    if (entry.constant) return;
    feeds[`dy${k}`] = randomInput(y.shape, k).data;
    const learned = inputs.filter((_, i) => !isUint(entry.domains[i]));
    const found = gradients(dot(y, graph.input(`dy${k}`, y.shape)), learned);
    for (const [x, gradient] of found) outputs[`d${x.name}`] = gradient;
  });
  const program = await compile(gpu, { outputs, ...options });
  try {
    const needed = new Set(program.plan.inputs.map(({ name }) => name));
    return await program.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => needed.has(name))));
  } finally {
    program.destroy();
  }
}

/** The gradient of Σ y·dy by number `at` of input `i`, by central differences in double precision. */
function difference(entry: TableEntry, k: number, set: readonly Numbers[], i: number, at: number): number {
  const step = 1e-5;
  const move = (by: number): number => {
    const inputs = set.map((values, j) => ({ shape: entry.shapes[k][j], data: Float64Array.from(values) }));
    inputs[i].data[at] += by;
    const { shape, data } = entry.reference(...inputs);
    return dotProduct(data, randomInput(shape, k).data);
  };
  return (move(step) - move(-step)) / (2 * step);
}

/** So many numbers of an input, spread over it, are looked at by finite differences. */
const LOOKED_AT = 24;

/** Bytes that hold some of the items of the larger shapes. */
const CUTTING = 4096;

describe.each(TABLE)("$name", (entry) => {
  const gpu = useGpu();

  it("is what double precision gives, forward and by finite differences", async () => {
    const results = await run(gpu(), entry);
    setsOf(entry).forEach((set, k) => {
      const what = entry.shapes[k].map(shapeText).join(" and ");
      const inputs = set.map((values, i) => ({ shape: entry.shapes[k][i], data: Float64Array.from(values) }));
      expectClose(results[`y${k}`], entry.reference(...inputs).data, 1e-5, `the result of ${what}`);
      set.forEach((values, i) => {
        if (entry.constant || isUint(entry.domains[i])) return;
        const gradient = results[`dx${k} ${i}`];
        expect(gradient.length).toBe(values.length);
        const looked = Array.from({ length: Math.min(LOOKED_AT, values.length) }, (_, n) =>
          Math.floor((n * values.length) / Math.min(LOOKED_AT, values.length)),
        );
        expectClose(
          looked.map((at) => gradient[at]),
          looked.map((at) => difference(entry, k, set, i, at)),
          1e-5,
          `the gradient by input ${i} of ${what}`,
        );
      });
    });
  });

  it("is the same cut along the batch, and op by op", async () => {
    const whole = await run(gpu(), entry);
    for (const options of [{ maxBindingBytes: CUTTING }, { fuse: false }]) {
      const other = await run(gpu(), entry, options);
      for (const [name, values] of Object.entries(whole)) expectClose(other[name], values, 2e-6, name);
    }
  });
});

describe("reductions in workgroups", () => {
  const gpu = useGpu();

  it.each(TABLE.filter(({ name }) => /^(sum|max) over/.test(name)))("$name", async (entry) => {
    const [shared, alone] = [await run(gpu(), entry, { family: "workgroup" }), await run(gpu(), entry)];
    for (const [name, values] of Object.entries(alone)) expectClose(shared[name], values, 2e-6, name);
  });
});
