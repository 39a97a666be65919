import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { bundledProgram } from "./bundled-program.ts";

it("has the sources in one file, and those of a thread in another; in place of some what stands in for them", async () => {
  for (const [standIns, standsIn] of [
    [[], false],
    [["small-unet", "white-figures"], true],
  ] as const) {
    const program = await bundledProgram("src/cli/predict.ts", standIns);
    const thread = await readFile(new URL("outputs.js", pathToFileURL(program)), "utf8");
    const text = await readFile(program, "utf8");
    for (const each of [text, thread]) {
      expect(/from "\.|import\.meta\.url/.exec(each)).toBeNull();
      expect(each.includes('"@resvg/resvg-wasm"')).toBe(!standsIn);
    }
    expect(text.includes("smallUnetOf")).toBe(standsIn);
    // The worker takes what was built beside it, and loads no TypeScript.
    expect(/"\.\/outputs-worker\.mjs", "([^"]+)"/.exec(text)?.[1]).toBe(
      new URL(".", pathToFileURL(program)).href,
    );
    const worker = await readFile(new URL("outputs-worker.mjs", pathToFileURL(program)), "utf8");
    expect(worker).toBe(await readFile(new URL("../../src/use/outputs-worker.mjs", import.meta.url), "utf8"));
  }
});
