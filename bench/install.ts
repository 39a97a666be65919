/** @file `npm run bench:install`: what installing the package takes, with the programs and without; the figures of README.md. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { textTable } from "../src/text-table.ts";

const run = promisify(execFile);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The sizes of all files below a folder, in bytes, and how many packages there are. */
async function measure(folder: string): Promise<{ bytes: number; packages: number }> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))));
  const lock = JSON.parse(await readFile(join(folder, ".package-lock.json"), "utf8")) as { packages: object };
  const bytes = sizes.reduce((sum, each) => sum + (each.isFile() ? each.size : 0), 0);
  return { bytes, packages: Object.keys(lock.packages).length };
}

const folder = await mkdtemp(join(tmpdir(), "bespoke-install-"));
try {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], {
    maxBuffer: 2 ** 26,
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf("["))) as [
    { filename: string; size: number; unpackedSize: number },
  ];
  console.log(`${packed.filename}: ${megabytes(packed.size)}, unpacked ${megabytes(packed.unpackedSize)}`);
  const rows = [["npm install …", "packages", "size", "seconds"]];
  for (const option of ["", "--omit=optional"]) {
    const place = join(folder, option || "whole");
    await mkdir(place);
    await writeFile(join(place, "package.json"), "{}");
    const begin = performance.now();
    const options = ["--prefer-offline", "--no-audit", "--no-fund", ...(option ? [option] : [])];
    await run("npm", ["install", ...options, join(folder, packed.filename)], { cwd: place });
    const seconds = (performance.now() - begin) / 1000;
    const { bytes, packages } = await measure(join(place, "node_modules"));
    rows.push([`bespoke ${option}`.trim(), String(packages), megabytes(bytes), seconds.toFixed(0)]);
  }
  console.log(textTable(rows, [1, 2, 3]));
} finally {
  await rm(folder, { recursive: true });
}
