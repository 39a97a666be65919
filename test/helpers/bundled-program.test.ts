import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { bundledProgram } from "./bundled-program.ts";

it("has the sources in one file, and in place of some what stands in for them", async () => {
  const [whole, small] = await Promise.all(
    ([[], ["small-unet", "white-figures"]] as const).map(async (standIns) =>
      readFile(await bundledProgram("src/cli/train.ts", standIns), "utf8"),
    ),
  );
  for (const [text, standsIn] of [
    [whole, false],
    [small, true],
  ] as const) {
    expect(/from "\.|import\.meta\.url/.exec(text)).toBeNull();
    expect(text.includes('src/data/batch-threads.ts")')).toBe(true);
    expect(text.includes("smallUnetOf")).toBe(standsIn);
    expect(text.includes('"@resvg/resvg-wasm"')).toBe(!standsIn);
  }
});
