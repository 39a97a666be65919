import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMPILE_WELL } from "../helpers/quick-compiler.ts";
import { blocksOf, lastCells, pages } from "./blocks.ts";
import type { Block } from "./blocks.ts";
import { exportedNames, typeErrors } from "./type-check.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

const blocks = pages(ROOT).flatMap((page) => blocksOf(ROOT, page));
const byName = blocks.map((block) => [block.name, block] as const);

/** What must not pass. */
const WRONG: readonly Block[] = [
  { code: 'import { relu } from "bespoke";\nrelu("not a tensor");\n' },
  { code: "new Graph().input(7, [1]);\n" },
  { code: "const x = relu(image);\nnoSuchOp(x);\n", given: "declare const image: Tensor;" },
  { code: "const x = = 1;\n" },
].map((each, i) => ({ name: `page.md:${10 * i}`, given: "", runs: false, shown: [], ...each }));

describe("TypeScript in the documents", () => {
  let errors: Map<Block, string[]>;
  beforeAll(() => {
    errors = typeErrors(ROOT, [...blocks, ...WRONG]);
  }, 120_000);

  it.each(byName)("%s is right to the compiler", (_, block) => {
    expect(errors.get(block)).toEqual([]);
  });

  it("that is wrong is noticed", () => {
    expect(WRONG.map((block) => errors.get(block))).toEqual([
      [expect.stringMatching(/^line 2: Argument of type 'string'/)],
      [expect.stringMatching(/^line 11: Argument of type 'number'/)],
      [expect.stringMatching(/^line 22: Cannot find name 'noSuchOp'/)],
      expect.arrayContaining([expect.stringMatching(/^line 31: Expression expected/)]),
    ]);
  });
});

describe("tables of equivalents", () => {
  let names: Map<string, string>;
  beforeAll(() => {
    names = exportedNames(ROOT);
  }, 120_000);

  /** What the tables call a reader's own, and options and results of functions. */
  const others = ["model", "layer", "learningRate", "kernelInitializer", "updates"];

  it.each(["docs/coming-from-tfjs.md", "docs/coming-from-pytorch.md"])("%s names what there is", (page) => {
    const named = lastCells(ROOT, page).flatMap((code) => /^[a-z]\w*(?=\(|$)/.exec(code)?.[0] ?? []);
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((name) => !names.has(name) && !others.includes(name))).toEqual([]);
  });
});

describe("programs in the documents", () => {
  // Beside the checkout's modules, so that the package's name means the sources.
  const folder = join(ROOT, `.cache/documents-${process.pid}`);
  beforeAll(() => mkdir(folder, { recursive: true }));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(byName.filter(([, { runs }]) => runs))("%s does what it says", async (name, { code, shown }) => {
    const file = join(folder, `${name.replace(/\W/g, "-")}.ts`);
    await writeFile(file, code);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", TSX, file], {
      cwd: ROOT,
      env: { ...process.env, ...COMPILE_WELL },
    });
    const losses = [...stdout.matchAll(/loss ([\d.e-]+)/g)].map(([, loss]) => Number(loss));
    if (losses.length > 0) expect(losses.at(-1)).toBeLessThan(losses[0] / 2);
    const words = (text: string): string => text.trim().split(/\s+/).join(" ");
    for (const line of shown) expect(stdout.split("\n").map(words)).toContain(words(line));
    expect(losses.length + shown.length, "losses that fall, or output that the page shows").toBeGreaterThan(
      0,
    );
  });
});
