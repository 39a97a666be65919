import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { pages } from "./blocks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

it("knows what a heading is called in an address", () => {
  expect(anchorsOf("# Page\n\n## A kernel of one's own: `silu`\n")).toEqual([
    "page",
    "a-kernel-of-ones-own-silu",
  ]);
});

it.each([...pages(ROOT), "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/NOTES.md"])(
  "the links of %s lead somewhere",
  (page) => {
    const text = readFileSync(join(ROOT, page), "utf8").replace(/^```[^]*?^```$/gm, "");
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split("#");
        const file = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path);
        if (!existsSync(file)) return true;
        if (anchor === undefined || statSync(file).isDirectory()) return false;
        return !anchorsOf(readFileSync(file, "utf8")).includes(anchor);
      });
    expect(broken).toEqual([]);
  },
);
