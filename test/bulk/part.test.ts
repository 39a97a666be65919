import { describe, expect, it } from "vitest";
import { isOfPart, parsePart } from "../../src/bulk/part.ts";

describe("parsePart", () => {
  it("takes a part of so many, from 1", () => {
    expect(parsePart("3/100", {})).toEqual({ part: 3, of: 100 });
    expect(parsePart(" 1/1 ", {})).toEqual({ part: 1, of: 1 });
    for (const text of ["0/3", "4/3", "3", "a/3", "3/0", "-1/3", "1.5/3", "1/3/4", ""])
      expect(() => parsePart(text, {}), text).toThrow(/--shard/);
    expect(() => parsePart("4/3", {})).toThrow("--shard 4/3 is none of the parts 1 to 3.");
  });

  it("takes it from Kubernetes, which counts from 0, and from Slurm, whose array counts from 1", () => {
    expect(parsePart("auto/100", { JOB_COMPLETION_INDEX: "0" })).toEqual({ part: 1, of: 100 });
    expect(parsePart("auto/100", { JOB_COMPLETION_INDEX: "99" })).toEqual({ part: 100, of: 100 });
    expect(parsePart("auto/100", { SLURM_ARRAY_TASK_ID: "1" })).toEqual({ part: 1, of: 100 });
    expect(parsePart("auto/100", { SLURM_ARRAY_TASK_ID: "100" })).toEqual({ part: 100, of: 100 });
    expect(() => parsePart("auto/100", { JOB_COMPLETION_INDEX: "100" })).toThrow(
      "JOB_COMPLETION_INDEX 100 is none of the parts 1 to 100.",
    );
    expect(() => parsePart("auto/100", { SLURM_ARRAY_TASK_ID: "0" })).toThrow(
      "SLURM_ARRAY_TASK_ID 0 is none of the parts 1 to 100: say --array=1-100.",
    );
    expect(() => parsePart("auto/100", { SLURM_ARRAY_TASK_ID: "x" })).toThrow(/none of the parts/);
    expect(() => parsePart("auto/100", {})).toThrow(/neither is set: say which part, such as 1\/100/);
  });
});

describe("isOfPart", () => {
  it("gives every shard to exactly one part", () => {
    for (const of of [1, 2, 3, 7]) {
      const parts = Array.from({ length: of }, (_, i) => ({ part: i + 1, of }));
      for (let index = 0; index < 20; index++)
        expect(parts.filter((part) => isOfPart({ index }, part))).toHaveLength(1);
    }
  });
});
