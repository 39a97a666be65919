import { describe, expect, it } from "vitest";
import { formatRecord, parseRecord } from "../../../src/graph/autotune/record.ts";
import type { Findings } from "../../../src/graph/autotune/record.ts";

const identity = { adapter: "a GPU", driver: "1.2", kernels: "abc" };
const tile = { rows: 64, columns: 64, steps: 16 };
const findings: Findings = new Map([
  [
    "one",
    {
      winner: tile,
      measurements: [
        { tile, milliseconds: [0.1, 1 / 3] },
        { tile: { rows: 8, columns: 32, workgroups: 4 }, milliseconds: [], failure: "no" },
      ],
    },
  ],
  ["another", { winner: tile, measurements: [{ tile, milliseconds: [2] }] }],
]);
const text = formatRecord(identity, findings);
const changed = (change: (record: { products: Record<string, object> }) => void): string => {
  const record = JSON.parse(text) as { products: Record<string, object> };
  change(record);
  return JSON.stringify(record);
};

describe("a record of autotuning", () => {
  it("comes back as it was", () => {
    expect(parseRecord(text, identity)).toEqual(findings);
  });

  it("is the same text whatever the order of the findings", () => {
    expect(formatRecord(identity, new Map([...findings].reverse()))).toBe(text);
  });

  it.each([
    [{ adapter: "another" }, /another adapter/],
    [{ driver: "1.3" }, /another driver/],
    [{ kernels: "abd" }, /other kernels/],
  ])("is of no use to %j", (other, message) => {
    expect(parseRecord(text, { ...identity, ...other })).toMatch(message);
  });

  it.each([
    ["cut off", text.slice(0, -20), /damaged/],
    ["empty", "", /damaged/],
    ["a list", "[]", /no measurements/],
    ["something else", '{"format": "other", "products": {}}', /no measurements/],
    ["without a winner", changed(({ products }) => (products.one = { measurements: [] })), /damaged/],
    [
      "with a tile of no rows",
      changed(({ products }) => (products.one = { ...products.one, winner: { ...tile, rows: 0 } })),
      /damaged/,
    ],
    [
      "with times that are none",
      changed(
        ({ products }) =>
          (products.one = { winner: tile, measurements: [{ tile, milliseconds: ["quick"] }] }),
      ),
      /damaged/,
    ],
  ])("that is %s is not used", (_, damaged, message) => {
    expect(parseRecord(damaged, identity)).toMatch(message);
  });
});
