import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A block of TypeScript in a page. */
export interface Block {
  /** `docs/library.md:50`, the line of its fence. */
  readonly name: string;
  readonly code: string;
  /** Declarations of what the reader has already; they are not shown. */
  readonly given: string;
  /** Whether it is a program that a test runs. */
  readonly runs: boolean;
  /** The first lines of the blocks of text behind it, as far as the next block or heading: what it prints, if it runs. */
  readonly shown: readonly string[];
}

/** The pages with TypeScript for readers: README.md and those of `docs`, without the generated reference. */
export const pages = (root: string): string[] => [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** What stands in backticks in the last columns of a page's tables. */
export function lastCells(root: string, page: string): string[] {
  const rows = readFileSync(join(root, page), "utf8").matchAll(/^\|.*\|$/gm);
  return [...rows].flatMap(([row]) => {
    const cell = row.split(/(?<!\\)\|/).at(-2)!;
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
  });
}

/**
 * The blocks of a page. A comment directly before a block says what is needed to check it:
 *
 *     <!-- given: declare const gpu: Gpu; -->    declarations, imports included, of what the reader has already
 *     <!-- run -->                               a whole program, which is run too: its losses fall, and it prints
 *                                                what stands in the first blocks of `text` behind it
 */
export function blocksOf(root: string, page: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/(?:<!-- (?:given:\s*([^]*?)|(run)) -->\n\n?)?^```ts\n([^]*?)^```$/gm)].map(
    ({ 0: whole, 1: given = "", 2: run, 3: code, index }) => {
      const line = text.slice(0, index + whole.indexOf("```ts")).split("\n").length;
      const after = text.slice(index + whole.length).split(/```ts\n|\n## /)[0];
      const shown = [...after.matchAll(/^```text\n(.*)$/gm)].map(([, first]) => first);
      return { name: `${page}:${line}`, code, given, runs: run !== undefined, shown };
    },
  );
}
