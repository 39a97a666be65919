import { expect, it } from "vitest";
import { useGpu } from "../helpers/gpu.ts";
import { compileQuickly } from "../helpers/quick-compiler.ts";
import { compareDenseNet } from "./densenet.ts";
import { realFiles } from "./real-files.ts";
import { tableLines } from "./report.ts";

// In all lanes, as users have it.
compileQuickly({ wide: true });
const files = realFiles();
const gpu = useGpu();

it("DenseNet121's skips and top-5 classes of a real photo are those of tfjs", async (context) => {
  if (typeof files === "string") {
    console.log(files);
    return context.skip(files);
  }
  const rows = await compareDenseNet(gpu(), files);
  expect(rows).toHaveLength(6);
  expect(
    rows.every(({ ok }) => ok),
    tableLines(rows).join("\n"),
  ).toBe(true);
});
