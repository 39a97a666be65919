import { expect, test } from "vitest";
import { stragglerSentence } from "../../src/runs/straggler.ts";

test("the rank that the others waited for is named, where it matters", () => {
  const hosts = ["a", "a", "b", "b"];
  expect(stragglerSentence([14, 2, 15, 13], hosts, 100)).toBe(
    "Rank 1 on a was the slowest: the others waited 12 s for it.",
  );
  expect(stragglerSentence([3, 20], hosts, 100)).toBe(
    "Rank 0 on a was the slowest: the other waited 17 s for it.",
  );
  // A share of the run, or seconds, that nobody minds.
  expect(stragglerSentence([14, 2, 15, 13], hosts, 1000)).toBeNull();
  expect(stragglerSentence([0.9, 0.1], hosts, 2)).toBeNull();
  expect(stragglerSentence([5, 5, 5, 5], hosts, 20)).toBeNull();
});
