// `node scripts/licences.mjs [--check]`
//
// Writes docs/licences.md: what installing the package brings along, by package-lock.json, and under which licence. With
// --check it writes nothing, and says whether the file is what it would write.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ version: string, license?: string, optional?: boolean, dev?: boolean, devOptional?: boolean, os?: string[],
 *   cpu?: string[] }} LockedPackage
 * @typedef {{ name: string, version: string, licence: string, isOptional: boolean, isForPlatform: boolean }} Licensed
 */

/**
 * The packages that are installed with this one, but for what only its checkout needs, in the order of their names.
 *
 * @param {{ packages: Record<string, LockedPackage> }} lock
 * @returns {Licensed[]}
 * @throws {Error} where one names no licence
 */
export function licensed({ packages }) {
  return Object.entries(packages)
    .filter(([folder, { dev }]) => folder !== "" && !dev)
    .map(([folder, { version, license, optional, devOptional, os, cpu }]) => {
      const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
      if (license === undefined) throw new Error(`${name} names no licence.`);
      const isOptional = Boolean(optional || devOptional);
      return { name, version, licence: license, isOptional, isForPlatform: Boolean(os ?? cpu) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/**
 * The page as Markdown.
 *
 * @param {Licensed[]} all
 */
export function licencesMarkdown(all) {
  const table = (/** @type {Licensed[]} */ some) => {
    const rows = [
      ["package", "version", "licence"],
      ...some.map(({ name, version, licence }) => [name, version, licence]),
    ];
    const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
    const line = (/** @type {string[]} */ row) =>
      `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
    const [head, ...body] = rows.map(line);
    return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
  };
  const engine = all.filter(({ isOptional }) => !isOptional);
  const programs = all.filter(({ isOptional, isForPlatform }) => isOptional && !isForPlatform);
  const platforms = all.filter(({ isForPlatform }) => isForPlatform);
  return `# Licences of what bespoke installs

bespoke itself is [MIT](../LICENSE). This page is written by \`npm run licences\` from \`package-lock.json\`. \`npm sbom --omit=dev
--sbom-format=cyclonedx\` (or \`spdx\`) prints the same as a software bill of materials. Texts of what lies inside of bespoke's own
tarball (fonts, and what the pages are bundled with) are in its \`dist/LICENSES.txt\`.

## With the engine

${table(engine)}

## With the programs, unless \`--omit=optional\`

${table(programs)}

## Of these, one or two for the platform

${table(platforms)}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL("../", import.meta.url);
  const page = new URL("docs/licences.md", root);
  const text = licencesMarkdown(
    licensed(JSON.parse(await readFile(new URL("package-lock.json", root), "utf8"))),
  );
  if (!process.argv.includes("--check")) await writeFile(page, text);
  else if ((await readFile(page, "utf8")) !== text) {
    console.error("docs/licences.md is not what is installed: run `npm run licences`.");
    process.exitCode = 1;
  }
}
