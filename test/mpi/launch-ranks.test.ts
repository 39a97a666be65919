import { describe, expect, it } from "vitest";
import { withoutRanks } from "../../src/mpi/launch-ranks.ts";

describe("the command of a rank", () => {
  it("is the command that asked for ranks, without that", () => {
    expect(withoutRanks(["--ranks", "4", "--data", "photos"])).toEqual(["--data", "photos"]);
    expect(withoutRanks(["--data", "photos", "--ranks=4", "--seed", "1"])).toEqual([
      "--data",
      "photos",
      "--seed",
      "1",
    ]);
    expect(withoutRanks(["--seed", "1"])).toEqual(["--seed", "1"]);
  });
});
