import { writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { configurationMarkdown } from "../config/markdown.ts";

const file = new URL("../../docs/configuration.md", import.meta.url);
const style = await resolveConfig(file);
await writeFile(file, await format(configurationMarkdown(), { ...style, parser: "markdown" }));
