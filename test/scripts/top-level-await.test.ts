import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

const AWAIT = /^(?:(?:const|let) .*= )?await /;
/** Of a function, a table or a class; what a program works out step by step comes in the order in which it is needed. */
const DEFINITION =
  /^(?:export )?(?:const \w+ = (?:async )?(?:\w+|\([^=]*|\(.*\)[^=]*) =>|const [A-Z_]{2,}\b|class )/;

/** Lines that define such behind the last `await` of a module's top level. */
function definedTooLate(source: string): string[] {
  const lines = source.split("\n");
  const last = lines.findLastIndex((line) => AWAIT.test(line));
  return last === -1 ? [] : lines.slice(last + 1).filter((line) => DEFINITION.test(line));
}

// What is awaited runs before the lines behind it: a constant of theirs is not there yet, and only a run to the end tells.
it("no program awaits before what it uses is defined", async () => {
  const found: string[] = [];
  let programs = 0;
  for (const folder of ["src", "bench", "scripts", "examples", "test"]) {
    for (const file of await readdir(folder, { recursive: true })) {
      if (!/\.(?:ts|mjs)$/.test(file) || /node_modules/.test(file)) continue;
      const source = await readFile(join(folder, file), "utf8");
      if (source.split("\n").some((line) => AWAIT.test(line))) programs += 1;
      found.push(...definedTooLate(source).map((line) => `${join(folder, file)}: ${line}`));
    }
  }
  expect(programs).toBeGreaterThan(20);
  expect(found).toEqual([]);
  expect(definedTooLate("await run();\n\nconst late = () => 1;")).toEqual(["const late = () => 1;"]);
});
