import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { useGpu } from "../helpers/gpu.ts";
import { isQuick } from "../helpers/quick.ts";
import { kernelCases } from "./cases.ts";
import { tableLines } from "./report.ts";
import { makeRow, relativeError } from "./row.ts";

describe("parity with tfjs", () => {
  const gpu = useGpu();
  beforeAll(() => tf.setBackend("cpu"));

  /** One shape of each, where one waits for it: the ops' own tests have more. */
  const compared = isQuick
    ? [...new Map(kernelCases.map((each) => [each.name, each])).values()]
    : kernelCases;
  it.each(compared.map((kernelCase) => ({ ...kernelCase })))("$name at $shape", async (kernelCase) => {
    const row = await kernelCase.run(gpu());
    expect(row.ok, tableLines([row]).join("\n")).toBe(true);
  });

  it("has every case at two shapes or more", () => {
    const shapes = new Map<string, Set<string>>();
    for (const { name, shape } of kernelCases) shapes.set(name, (shapes.get(name) ?? new Set()).add(shape));
    for (const [name, seen] of shapes) expect(seen.size, name).toBeGreaterThan(1);
  });
});

describe("a row of the parity table", () => {
  const row = { part: "kernels", case: "c", shape: "s", forward: 0, others: {}, limit: 1e-5 } as const;

  it("measures by the largest reference value", () => {
    expect(relativeError([1, 2.5], [1, 2])).toBe(0.25);
    expect(relativeError([0, 0], [0, 0])).toBe(0);
    expect(relativeError([0, 1e-9], [0, 0])).toBe(Infinity);
    expect(relativeError([NaN], [1])).toBe(Infinity);
    expect(relativeError([], [1])).toBe(Infinity);
  });

  it("fails when any error is over the limit", () => {
    expect(makeRow(row).ok).toBe(true);
    expect(makeRow({ ...row, forward: 2e-5 }).ok).toBe(false);
    expect(makeRow({ ...row, others: { dx: 0, dkernel: NaN } }).ok).toBe(false);
    expect(makeRow(row, false).ok).toBe(false);
  });
});
