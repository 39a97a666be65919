import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph, variableParts } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { glorotUniform, zeros } from "../../../src/graph/initializers.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { matmul } from "../../../src/graph/ops/matmul.ts";
import { part } from "../../../src/graph/ops/part.ts";
import { sum } from "../../../src/graph/ops/reduce.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { plan } from "../../../src/graph/plan.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { partsWithin, rangesOf } from "../../../src/graph/taps.ts";
import { accumulateInBuckets, BUCKET_BYTES } from "../../../src/train/phase/gradient-buckets.ts";
import { passGoals } from "../../../src/train/phase/step-passes.ts";
import { inProcessRanks } from "../../helpers/in-process-ranks.ts";
import { nvidia, pretendedGpu } from "../../helpers/pretended-adapters.ts";
import { articleStep } from "./plan-on.ts";

/** Names of what each tap updates. */
const namesOf = (taps: ReturnType<typeof accumulateInBuckets>): string[][] =>
  Object.values(taps).map(({ op }) =>
    rangesOf({ updates: op.updates! })
      .flatMap(partsWithin)
      .map(({ name }) => name),
  );

/** Three matrices of a stack one after the other, one that is not used, and a bias. */
function stacked(batch: number) {
  const graph = new Graph();
  const shape = [16, 16];
  const matrices = ["a", "b", "unused", "c"].map((name) => ({ name, shape, initializer: glorotUniform }));
  const stack = graph.stackedParameter("stack", matrices);
  const bias = graph.parameter("bias", [16], zeros);
  let x: Tensor = graph.input("x", [batch, 16]);
  for (const name of ["a", "b", "c"]) x = matmul(x, part(stack, name));
  const slopes = gradients(sum(add(x, bias)));
  const terms = new Map(
    [...slopes].map(([parameter, slope]) => [graph.slotOf(parameter, "sum", zeros), slope] as const),
  );
  return { terms, share: graph.input("share", []) };
}

describe("accumulateInBuckets", () => {
  it("takes the parts of a stack apart, those of the last layers first", () => {
    const { terms, share } = stacked(4);
    expect(namesOf(accumulateInBuckets(terms, share, 1024))).toEqual([
      ["c/sum", "bias/sum"],
      ["b/sum"],
      ["a/sum"],
    ]);
    // Neighbours become one piece.
    const [bucket] = Object.values(accumulateInBuckets(terms, share, 16_384));
    expect(bucket.op.updates!.map(({ shape }) => sizeOf(shape))).toEqual([512, 256, 16]);
  });

  it("leaves whole what is little beside a bucket", () => {
    const { terms, share } = stacked(4);
    const [first, ...rest] = namesOf(accumulateInBuckets(terms, share, 2 ** 20));
    expect(rest).toEqual([]);
    expect(first.sort()).toEqual(["a/sum", "b/sum", "bias/sum", "c/sum", "unused/sum"]);
  });

  it("depends on no number of photos", () => {
    const taken = [1, 4].map((batch) => {
      const { terms, share } = stacked(batch);
      return namesOf(accumulateInBuckets(terms, share, 1024));
    });
    expect(taken[0]).toEqual(taken[1]);
  });
});

describe("the buckets of the whole network", () => {
  const [ranks] = inProcessRanks(2);
  const spec = { ...articleStep, batchSize: 16, accumulate: 2, ranks };

  it.each(["frozen", "finetune"] as const)("hold every gradient once (%s)", (phase) => {
    const { taps } = passGoals(spec, phase, 8);
    const names = namesOf(taps!).flat();
    const one = passGoals({ ...spec, ranks: undefined }, phase, 8);
    const all = one
      .updates!.flatMap(({ op }) => op.updates ?? [])
      .filter(({ name }) => /accumulated/.test(name));
    expect(names.toSorted()).toEqual(
      all.flatMap((tensor) => variableParts(tensor).map(({ name }) => name)).toSorted(),
    );
  });

  it("are ready, but for the last one, while the encoder's backward pass goes on", () => {
    const planned = plan(passGoals(spec, "finetune", 8), kernelTarget(pretendedGpu(nvidia)));
    const bytesOf = (ranges: ReturnType<typeof rangesOf>): number =>
      ranges.reduce((sum, { begin, end }) => sum + 4 * (end - begin), 0);
    const taps = [...planned.taps.values()].map((tap) => ({ ...tap, bytes: bytesOf(rangesOf(tap)) }));
    const flops = planned.dispatches.map(({ kernel }) => kernel.flops ?? 0);
    const all = flops.reduce((a, b) => a + b);
    const doneBy = (after: number): number => flops.slice(0, after).reduce((a, b) => a + b) / all;
    const total = taps.reduce((sum, { bytes }) => sum + bytes, 0);
    const early = taps.filter(({ after }) => doneBy(after) < 0.9);
    expect(early.reduce((sum, { bytes }) => sum + bytes, 0) / total).toBeGreaterThan(0.9);
    expect(taps.at(-1)!.bytes).toBeLessThan(BUCKET_BYTES);
    // More memory is none of its costs, nor are many dispatches.
    const one = plan(
      passGoals({ ...spec, ranks: undefined }, "finetune", 8),
      kernelTarget(pretendedGpu(nvidia)),
    );
    expect(planned.summary.arenaBytes).toBeLessThanOrEqual(one.summary.arenaBytes);
    expect(planned.summary.dispatches / one.summary.dispatches).toBeLessThan(1.05);
  });
});
