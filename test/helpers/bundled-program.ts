/**
 * @file Programs of the sources as one file of JavaScript each, for processes of their own: Node reads it in a quarter of the time that tsx
 * takes to load some hundred files.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { STAND_INS } from "./stand-ins.mjs";
import type { StandIn } from "./stand-ins.mjs";

/** In the checkout, so that packages are found from there. */
const FOLDER = fileURLToPath(new URL("../../.cache/test-programs/", import.meta.url));
const made = new Map<string, Promise<string>>();

/**
 * The file of a program of the checkout with all that it imports of the sources, bundled once a process.
 *
 * @param source from the checkout's folder on: `src/cli/train.ts`
 * @param standIns what has other modules stand in for some of them; a process of it needs `standInEnvironment` for its worker threads
 */
export function bundledProgram(source: string, standIns: readonly StandIn[]): Promise<string> {
  const key = [source.slice(0, -".ts".length).replaceAll("/", "-"), ...standIns].join("+");
  const known = made.get(key);
  if (known) return known;
  const file = bundle(source, standIns, `${FOLDER}${key}.mjs`);
  made.set(key, file);
  return file;
}

async function bundle(source: string, standIns: readonly StandIn[], file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../${source}`, import.meta.url))],
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    plugins: [standingIn(standIns), inPlace],
  });
  await mkdir(FOLDER, { recursive: true });
  // Another file of tests may be starting it.
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, outputFiles[0].contents);
  await rename(unfinished, file);
  return file;
}

/** As `stand-in-hooks.mjs` does it while modules are loaded. */
const standingIn = (names: readonly StandIn[]): Plugin => ({
  name: "stand-ins",
  setup(building) {
    for (const { ending, url } of names.map((name) => STAND_INS[name])) {
      const path = fileURLToPath(url);
      building.onResolve({ filter: /^\./ }, ({ path: specifier, importer }) =>
        specifier.endsWith(ending) && importer !== path ? { path } : undefined,
      );
    }
  },
});

/** Files beside a source (workers, fonts, the package's own) are found from where the source lies. */
const inPlace: Plugin = {
  name: "in place",
  setup(building) {
    building.onLoad({ filter: /[/\\](src|scripts|examples)[/\\].*\.m?[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const own = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll("import.meta.url", own), loader: path.endsWith("ts") ? "ts" : "js" };
    });
  },
};
