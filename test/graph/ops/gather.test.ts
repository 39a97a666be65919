import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { argmax } from "../../../src/graph/ops/argmax.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { embedding, gather } from "../../../src/graph/ops/gather.ts";
import { oneHot } from "../../../src/graph/ops/one-hot.ts";
import { plan } from "../../../src/graph/plan.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot, runOp } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

/** Whole numbers below `below`, in no order. */
const drawn = (count: number, below: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => (Math.imul(i + 7, 2654435761) >>> 7) % below);

describe("embedding", () => {
  const gpu = useGpu();

  // Characters in several parts, words of a large vocabulary, one word only, padding nearly everywhere, one of each.
  it.each([
    { rows: 65, width: 32, indices: drawn(2048, 65) },
    { rows: 5000, width: 12, indices: drawn(600, 5000) },
    { rows: 300, width: 7, indices: new Uint32Array(1500).fill(42) },
    { rows: 3, width: 4, indices: drawn(3000, 100).map((index) => (index < 90 ? 0 : index)) },
    { rows: 1, width: 1, indices: new Uint32Array(1) },
  ])("takes vectors of $rows × $width and adds up their gradients", async ({ rows, width, indices }) => {
    const table = randomInput([rows, width], 1);
    const count = indices.length;
    const dy = randomInput([count * width], 2).data;
    const y = new Float64Array(count * width);
    const gradient = new Float64Array(rows * width);
    indices.forEach((index, i) => {
      if (index >= rows) return;
      for (let c = 0; c < width; c++) {
        y[i * width + c] = table.data[index * width + c];
        gradient[index * width + c] += dy[i * width + c];
      }
    });
    const inputs = [
      table,
      { shape: [count / (count > 1 ? 2 : 1), count > 1 ? 2 : 1], data: indices, dtype: "u32" as const },
    ];
    const result = await runOp(gpu(), embedding, inputs, dy);
    expect([...result.y]).toEqual([...y]);
    expectClose(result.gradients[0], gradient, 2e-6);
    // Equal numbers, equal bits: what is added up has one order.
    expect((await runOp(gpu(), embedding, inputs, dy)).gradients[0]).toEqual(result.gradients[0]);
  });

  it("reads nothing beyond the table, whatever the index", async () => {
    const table = { shape: [2, 4], data: new Float32Array(8).fill(3) };
    const indices = { shape: [4], data: Uint32Array.of(1, 2, 0x7fffffff, 0xffffffff), dtype: "u32" as const };
    const { y, gradients } = await runOp(gpu(), embedding, [table, indices], new Float32Array(16).fill(1));
    expect([...y]).toEqual([3, 3, 3, 3, ...new Array<number>(12).fill(0)]);
    expect([...gradients[0]!]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it("takes whole numbers, and the indices of a prediction for constants", async () => {
    const graph = new Graph();
    const logits = graph.parameter("logits", [3, 4], zeros);
    const table = graph.parameter("table", [4, 2], zeros);
    const y = embedding(table, argmax(logits));
    const found = gradients(dot(y, graph.input("dy", y.shape)), [table, logits]);
    expect([...found.keys()]).toEqual([table]);
    const numbers = graph.input("numbers", [4], "u32");
    const program = await compile(gpu(), {
      outputs: { taken: gather(numbers, graph.input("indices", [3], "u32")) },
    });
    const result = await program.run({
      numbers: Uint32Array.of(5, 0xfffffff0, 7, 8),
      indices: Uint32Array.of(1, 1, 9),
    });
    program.destroy();
    expect([...result.taken]).toEqual([0xfffffff0, 0xfffffff0, 0]);
  });

  it("is f16 where the table is, and so is its gradient", async ({ skip }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const table = randomInput([9, 8], 1, { levels: 9 });
    const indices = { shape: [600], data: drawn(600, 9), dtype: "u32" as const };
    const dy = randomInput([600 * 8], 2, { levels: 3 }).data;
    const half = await runOp(gpu(), (x, i) => embedding(cast(x, "f16"), i), [table, indices], dy);
    const whole = await runOp(gpu(), embedding, [table, indices], dy);
    expect(half).toEqual(whole);
  });

  it("takes one dispatch, and its gradient three", () => {
    const graph = new Graph();
    const table = graph.input("table", [1000, 64]);
    const y = embedding(table, graph.input("indices", [4, 32], "u32"));
    const [gradient] = gradients(dot(y, graph.input("dy", y.shape)), [table]).values();
    expect(plan({ outputs: { y } }, paperTarget).dispatches).toHaveLength(1);
    expect(plan({ outputs: { gradient } }, paperTarget).dispatches).toHaveLength(3);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const [table, indices] = [graph.input("table", [2, 3]), graph.input("indices", [4], "u32")];
    expect(() => embedding(table, graph.input("floats", [4]))).toThrow(
      'embedding takes indices of u32; "floats" is f32 [4]: feed it as u32',
    );
    expect(() => embedding(indices, indices)).toThrow(
      'embedding takes a table of floats [V, D]; "indices" is u32 [4].',
    );
    expect(() => gather(table, indices, { axis: 2 })).toThrow(
      'gather: "table" [2, 3] has no axis 2: name one from -2 to 1.',
    );
    expect(() => gather(graph.input("scalar", []), indices)).toThrow(
      '"scalar" [] has no axis 0: it has none.',
    );
    expect(() => oneHot(indices, 0)).toThrow("oneHot takes a whole number of classes from 1, not 0.");
    expect(() => oneHot(table, 3)).toThrow("oneHot takes indices of u32");
  });
});
