import { describe, expect, it } from "vitest";
import { GpuError } from "../../src/gpu/errors.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { compile } from "../../src/graph/compile.ts";
import { cast } from "../../src/graph/ops/cast.ts";
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { EMULATED_MATRIX, usesMatrices } from "../helpers/emulated-matrices.ts";
import { useGpu } from "../helpers/gpu.ts";

const opened = useGpu();

/** A gpu that offers matrices and whose driver answers a kernel of them with `refusal`. */
function refusing(refusal: GpuError): { gpu: Gpu; said: string[] } {
  const said: string[] = [];
  const own = opened();
  const pretended: Partial<Record<string | symbol, unknown>> = {
    subgroupMatrix: EMULATED_MATRIX,
    refuseMatrix(reason: string) {
      said.push(reason);
      pretended.subgroupMatrix = null;
    },
    pipelines: {
      get: (kernel: Kernel) => (usesMatrices(kernel) ? Promise.reject(refusal) : own.pipelines.get(kernel)),
    },
  };
  const gpu = new Proxy(own, {
    get(target, name) {
      if (name in pretended) return pretended[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { gpu, said };
}

function goals() {
  const graph = new Graph();
  const x = graph.input("x", [1, 4, 4, 8]);
  const w = graph.input("w", [1, 1, 8, 8]);
  return {
    outputs: { y: cast(conv2d(cast(x, "f16"), w, { strides: 1, padding: "same" }), "f32") },
    family: "workgroup" as const,
  };
}
const feeds = {
  x: Float32Array.from({ length: 128 }, (_, i) => (i % 7) - 3),
  w: Float32Array.from({ length: 64 }, (_, i) => (i % 5) - 2),
};

describe("a driver that refuses a kernel on matrices", () => {
  it.for(["validation", "internal"] as const)(
    "gets workgroup tiles, and it is said once: %s",
    async (kind, { skip }) => {
      skip(!opened().features.has("shader-f16"), "needs shader-f16");
      const { gpu, said } = refusing(new GpuError(kind, "Kernel did not compile: no registers\nthe text"));
      const programs = [await compile(gpu, goals()), await compile(gpu, goals())];
      expect(said).toEqual([
        "its driver does not compile a kernel of them (Kernel did not compile: no registers)",
      ]);
      const expected = await compile(opened(), { ...goals(), family: "register" });
      const [{ y }, { y: right }] = [await programs[1].run(feeds), await expected.run(feeds)];
      expect([...y]).toEqual([...right]);
      for (const program of [...programs, expected]) program.destroy();
    },
  );

  it("is not to blame for a device that is lost or full", async ({ skip }) => {
    skip(!opened().features.has("shader-f16"), "needs shader-f16");
    for (const kind of ["lost", "out-of-memory"] as const) {
      const { gpu, said } = refusing(new GpuError(kind, "gone"));
      await expect(compile(gpu, goals())).rejects.toMatchObject({ kind });
      expect(said).toEqual([]);
    }
  });
});
