/** @file What a sitting measured, as README's tables: `npm run bench:gpu:table -- bench/results/CARD`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { run } from "../command.ts";
import { tablesOf } from "./tables.ts";

const command = new Command("bench:gpu:table")
  .description("Prints what bench/gpu measured on a card as tables of Markdown.")
  .argument("<folder>", "what the archives of a sitting hold, unpacked");

await run(command, () => {
  const [folder] = command.args;
  if (!existsSync(folder)) throw new Error(`There is no folder ${folder}.`);
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const found = new Map<string, unknown>(
    files.map((name) => [name.replace(/\.json$/, ""), read(join(folder, name))]),
  );
  for (const name of ["article-f32", "article-f16"]) {
    const summary = join(folder, name, "summary.json");
    if (existsSync(summary)) found.set(name, read(summary));
  }
  console.log(tablesOf(found));
  return Promise.resolve();
});

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} is not JSON; was the sitting ended while it was written?`, { cause: error });
  }
}
