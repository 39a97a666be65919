import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { licencesMarkdown, licensed } from "../../scripts/licences.mjs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Parameters<typeof licensed>[0];

/** Those that let a program be used for anything; LGPL is libvips's, a library that can be exchanged, MPL the renderer's. */
const KNOWN =
  /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|Unlicense|LGPL-3\.0-or-later|MPL-2\.0|BlueOak-1\.0\.0)$/;

test("docs/licences.md lists what is installed", () => {
  expect(readFileSync("docs/licences.md", "utf8"), "run `npm run licences`").toBe(
    licencesMarkdown(licensed(lock)),
  );
});

test("with a licence that is known, each", () => {
  const others = licensed(lock).filter(
    ({ licence }) =>
      !licence
        .split(/[()\s]+|\bAND\b/)
        .filter(Boolean)
        .every((part) => part === "AND" || KNOWN.test(part)),
  );
  expect(others.map(({ name, licence }) => `${name}: ${licence}`)).toEqual([
    // A file that says: the three-clause BSD licence.
    "h5wasm: SEE LICENSE IN LICENSE.txt",
  ]);
});

test("the engine alone brings its types and a generator of random numbers", () => {
  const engine = licensed(lock).filter(({ isOptional }) => !isOptional);
  expect(engine.map(({ name }) => name)).toEqual(["@webgpu/types", "pure-rand"]);
});

test("a package that names none is told of", () => {
  expect(() => licensed({ packages: { "node_modules/a/node_modules/@b/c": { version: "1.0.0" } } })).toThrow(
    "@b/c names no licence",
  );
});
