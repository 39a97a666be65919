/**
 * @file Programs of the sources as one file of JavaScript each, for processes of their own: Node reads it in a quarter of the time that tsx
 * takes to load some hundred files. So are the modules that their worker threads run.
 */
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { STAND_INS } from "./stand-ins.mjs";
import type { StandIn } from "./stand-ins.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** In the checkout, so that packages are found from there. */
const FOLDER = join(ROOT, ".cache", "test-programs");
const made = new Map<string, Promise<string>>();

/**
 * The file of a program of the checkout with all that it imports of the sources, bundled once a process.
 *
 * @param source from the checkout's folder on: `src/cli/train.ts`
 * @param standIns what has other modules stand in for some of them
 */
export function bundledProgram(source: string, standIns: readonly StandIn[]): Promise<string> {
  const key = [source.slice(0, -".ts".length).replaceAll("/", "-"), ...standIns].join("+");
  const known = made.get(key);
  if (known) return known;
  const file = bundleWithWorkers(join(ROOT, source), standIns, join(FOLDER, key));
  made.set(key, file);
  return file;
}

async function bundleWithWorkers(
  source: string,
  standIns: readonly StandIn[],
  folder: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const workers = new Set<string>();
  const bundle = async (entry: string, file: string): Promise<void> => {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: "node20",
      packages: "external",
      plugins: [standingIn(standIns), inPlace(pathToFileURL(join(folder, "/")).href, workers)],
    });
    await put(file, (unfinished) => writeFile(unfinished, outputFiles[0].contents));
  };
  const program = join(folder, "program.js");
  await bundle(source, program);
  for (const worker of workers) {
    // As in a built package, it finds JavaScript beside it and needs no loader.
    const [, module] = /new URL\("\.\/([\w-]+)\.js", import\.meta\.url\)/.exec(
      await readFile(worker, "utf8"),
    )!;
    await bundle(join(dirname(worker), `${module}.ts`), join(folder, `${module}.js`));
    await put(join(folder, basename(worker)), (unfinished) => copyFile(worker, unfinished));
  }
  return program;
}

/** By rename: another file of tests may be starting it. */
async function put(file: string, write: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  await write(unfinished);
  await rename(unfinished, file);
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

/**
 * Files beside a source (fonts, the package's own) are found from where the source lies.
 *
 * @param folder where the files of worker threads are instead
 * @param workers gets those that there must be
 */
const inPlace = (folder: string, workers: Set<string>): Plugin => ({
  name: "in place",
  setup(building) {
    building.onLoad({ filter: /[/\\](src|scripts|examples)[/\\].*\.m?[jt]s$/ }, async ({ path }) => {
      const text = (await readFile(path, "utf8"))
        .replace(/new URL\("(\.\/[\w-]+-worker\.mjs)", import\.meta\.url\)/g, (_, worker: string) => {
          workers.add(join(dirname(path), worker));
          return `new URL(${JSON.stringify(worker)}, ${JSON.stringify(folder)})`;
        })
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
      return { contents: text, loader: path.endsWith("ts") ? "ts" : "js" };
    });
  },
});
