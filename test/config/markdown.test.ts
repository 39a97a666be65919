import { readFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { expect, it } from "vitest";
import { configurationMarkdown } from "../../src/config/markdown.ts";

it("docs/configuration.md says what the schema says (npm run docs writes it)", async () => {
  const file = new URL("../../docs/configuration.md", import.meta.url);
  const style = await resolveConfig(file);
  const expected = await format(configurationMarkdown(), { ...style, parser: "markdown" });
  expect(await readFile(file, "utf8")).toBe(expected);
});
