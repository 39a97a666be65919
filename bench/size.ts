/** @file `npm run bench:size`: what the package's entries and small programs weigh in a browser; the figures of README.md. */
import { textTable } from "../src/text-table.ts";
import { bundle, ENTRIES, programFile, PROGRAMS, sizeOf } from "./size/bundle.ts";
import type { Bundle } from "./size/bundle.ts";

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1);
const rows = [["", "minified", "gzipped, kB"]];
const add = (name: string, bundle: Bundle): void => {
  const { minified, gzipped } = sizeOf(bundle);
  rows.push([name, kilobytes(minified), kilobytes(gzipped)]);
};

for (const [name, file] of Object.entries(ENTRIES)) add(`all of ${name}`, await bundle({ file }));
const all = Object.keys(ENTRIES).map((name) => `export * from "${name}";`);
add("all four together", await bundle({ text: all.join("\n") }));
for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[])
  add(PROGRAMS[name].replaceAll("`", ""), await bundle({ file: programFile(name) }));
add("the demo's page", await bundle({ file: "src/ui/demo/main.ts" }));
console.log(textTable(rows, [1, 2]));
