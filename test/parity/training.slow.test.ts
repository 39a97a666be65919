import { expect, it } from "vitest";
import { useGpu } from "../helpers/gpu.ts";
import { compileQuickly } from "../helpers/quick-compiler.ts";
import { realFiles } from "./real-files.ts";
import { tableLines } from "./report.ts";
import { compareTraining, TRAINING_RUNS } from "./training.ts";

// In all lanes, as users have it.
compileQuickly({ wide: true });
const files = realFiles();
const gpu = useGpu();
/** Fewer than `npm run parity` compares: two steps see the backward pass and the optimizer. */
const STEPS = 2;

it.for(TRAINING_RUNS)("losses of $phase steps are those of tfjs", async (run, context) => {
  if (typeof files === "string") {
    console.log(files);
    return context.skip(files);
  }
  const rows = await compareTraining(gpu(), files, { ...run, steps: STEPS });
  expect(rows.length).toBeGreaterThanOrEqual(STEPS);
  expect(
    rows.every(({ ok }) => ok),
    tableLines(rows).join("\n"),
  ).toBe(true);
});
