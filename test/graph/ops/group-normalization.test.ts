import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { groupNormalization } from "../../../src/graph/ops/group-normalization.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { OpInput } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import { normGradients, normOf } from "./row-norms.ts";

const epsilon = 1e-3;
const inputsOf = (shape: Shape): OpInput[] => [
  randomInput(shape, 1),
  randomInput(shape.slice(-1), 2),
  randomInput(shape.slice(-1), 3),
];
const dataOf = (inputs: readonly OpInput[]): OpInput["data"][] => inputs.map(({ data }) => data);
const norm =
  (groups: number) =>
  (x: Tensor, gamma: Tensor, beta: Tensor): Tensor =>
    groupNormalization(x, { groups, gamma, beta });

describe("groupNormalization", () => {
  const gpu = useGpu();

  it.each([
    { shape: [2, 3, 5, 6], groups: 3 },
    { shape: [2, 3, 3, 8], groups: 4 },
    { shape: [3, 4, 2, 16], groups: 2 },
    { shape: [2, 5, 4, 8], groups: 1 },
    { shape: [2, 7, 3, 4], groups: 4 },
    { shape: [1, 31, 33, 8], groups: 2 },
    { shape: [4, 24], groups: 2 },
    { shape: [2, 1, 1, 4], groups: 2 },
  ])(
    "is its definition at $shape in $groups groups, and so are all gradients, in all families",
    async ({ shape, groups }) => {
      const inputs = inputsOf(shape);
      const { data: dy } = randomInput([sizeOf(shape)], 4);
      const f = (all: readonly ArrayLike<number>[]): Float64Array => normOf({ shape, groups, epsilon }, all);
      const expected = f(dataOf(inputs));
      const slopes =
        sizeOf(shape) < 2000
          ? finiteDifferences((all) => dotProduct(f(all), dy), dataOf(inputs))
          : normGradients({ shape, groups, epsilon }, dataOf(inputs), dy);
      for (const options of [
        { family: "register" },
        { family: "register", subgroupSize: 0 },
        { family: "workgroup" },
      ] as const) {
        const { y, gradients } = await runOp(gpu(), norm(groups), inputs, dy, options);
        expectClose(y, expected);
        gradients.forEach((gradient, i) => expectClose(gradient, slopes[i], 1e-5, `gradient ${i}`));
      }
    },
  );

  it("gives the same in pieces along the batch", async () => {
    const shape = [6, 4, 4, 16];
    const { data: dy } = randomInput([sizeOf(shape)], 4);
    const whole = await runOp(gpu(), norm(4), inputsOf(shape), dy);
    const cut = await runOp(gpu(), norm(4), inputsOf(shape), dy, { maxBindingBytes: 2048 });
    expect(cut.y).toEqual(whole.y);
    expect(cut.gradients[0]).toEqual(whole.gradients[0]);
    expectClose(cut.gradients[1], whole.gradients[1]!, 2e-6);
    expectClose(cut.gradients[2], whole.gradients[2]!, 2e-6);
  });

  it("says which groups do not divide the channels", () => {
    const x = new Graph().input("x", [2, 4, 4, 6]);
    expect(() => groupNormalization(x, { groups: 4 })).toThrow(
      'groupNormalization: "x" [2, 4, 4, 6] has 6 channels, which 4 groups do not divide: take a divisor of 6.',
    );
  });
});
