import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/graph.ts";
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import { matmul } from "../../src/graph/ops/matmul.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import type { SubgroupMatrix } from "../../src/kernels/kernel.ts";
import { requestFor } from "../../src/kernels/conv2d/tiles.ts";
import { expectClose } from "../helpers/close.ts";
import { EMULATED_LANES, withEmulatedMatrices } from "../helpers/emulated-matrices.ts";
import { useGpu } from "../helpers/gpu.ts";
import { runOp } from "../helpers/op.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

const opened = useGpu();

/** Operands as Apple's are; with its smaller matrices, lavapipe compiles what emulates them for minutes. */
const MATRIX: SubgroupMatrix = {
  component: "f32",
  ...{ rows: 16, columns: 16, depth: 16 },
  ...{ lanes: EMULATED_LANES, asksForLanes: false, workgroupMultiple: 2 * EMULATED_LANES },
};

describe("products on matrices of f32", () => {
  it("are those in registers, of images in f32", async () => {
    const gpu = withEmulatedMatrices(opened(), MATRIX);
    const { family } = requestFor(
      { ...kernelTarget(gpu), family: "workgroup" },
      {
        ...{ kind: "forward", rows: 40, columns: 12, depth: 12, taps: 9, phases: 1, layers: 1 },
        left: { buffers: ["x"], width: 4 },
        store: { buffers: ["y"], width: 4 },
      },
    );
    expect(family).toBe("matrix");
    const op = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { strides: 2, padding: "same" });
    const inputs = [randomInput([2, 5, 7, 12], 1), randomInput([3, 3, 12, 8], 2)];
    const { data: dy } = randomInput([2, 3, 4, 8], 3);
    const expected = await runOp(opened(), op, inputs, dy, { family: "register" });
    const actual = await runOp(gpu, op, inputs, dy, { family: "workgroup" });
    expectClose(actual.y, expected.y, 1e-5);
    actual.gradients.forEach((gradient, i) =>
      expectClose(gradient, expected.gradients[i]!, 1e-5, `gradient ${i}`),
    );
  });

  it("are those in registers, of many matrices at once", async () => {
    const gpu = withEmulatedMatrices(opened(), MATRIX);
    const op = (a: Tensor, b: Tensor): Tensor => matmul(a, b);
    const inputs = [randomInput([3, 20, 16], 1), randomInput([3, 16, 24], 2)];
    const { data: dy } = randomInput([3, 20, 24], 3);
    const expected = await runOp(opened(), op, inputs, dy, { family: "register" });
    const actual = await runOp(gpu, op, inputs, dy, { family: "workgroup" });
    expectClose(actual.y, expected.y, 1e-5);
    actual.gradients.forEach((gradient, i) =>
      expectClose(gradient, expected.gradients[i]!, 1e-5, `gradient ${i}`),
    );
  });
});
