import { expect, test } from "vitest";
import { assignWeights } from "../../src/weights/assign.ts";
import { printable } from "../../src/files/printable.ts";
import { float32 } from "../weights/arbitrary-tensors.ts";

test.each([
  ["conv1/bn/γ", "conv1/bn/γ"],
  ["a\u001B[2J\nb\u009B\u007F", "a?[2J?b??"],
  ["a\u202Eb\u2028", "a?b?"],
  ["a".repeat(40_000), `${"a".repeat(197)}...`],
])("a name as it can be shown: %#", (name, shown) => {
  expect(printable(name)).toBe(shown);
});

test("assignWeights shows a name of the file's so", () => {
  const names = `\u001B[2J${"a".repeat(40_000)}`;
  const assign = (): unknown =>
    assignWeights([{ name: "w", shape: [1] }], new Map([[names, float32([1], 1)]]), { source: "in.h5" });
  expect(assign).toThrow(/called "\?\[2Ja{93}\.\.\."/);
});
