import { describe, expect, it } from "vitest";
import { expandBraces } from "../../src/bulk/braces.ts";

describe("expandBraces", () => {
  it.each([
    ["a.tar", ["a.tar"]],
    ["p-{08..11}.tar", ["p-08.tar", "p-09.tar", "p-10.tar", "p-11.tar"]],
    ["p-{8..11}.tar", ["p-8.tar", "p-9.tar", "p-10.tar", "p-11.tar"]],
    ["{2..0}", ["2", "1", "0"]],
    ["{train,val}/{0..1}.tar", ["train/0.tar", "train/1.tar", "val/0.tar", "val/1.tar"]],
  ])("%s", (pattern, paths) => expect([...expandBraces(pattern)]).toEqual(paths));

  it("refuses what is neither a range nor names, and slips", () => {
    expect(() => [...expandBraces("p-{a}.tar")]).toThrow(/\{a\} in p-\{a\}\.tar is neither a range/);
    expect(() => [...expandBraces("{0..99999}{0..99999}")]).toThrow(/more than 10000000 archives/);
  });
});
