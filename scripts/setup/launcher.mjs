import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { needsNone } from "./adapter-needs.mjs";
import { npmScript } from "./launched.mjs";
import { SetupError } from "./messages.mjs";
import { ensureModules } from "./modules.mjs";
import { runSetUp } from "./run-set-up.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What may stand before the target: without it a command needs an adapter. */
const NEEDS = /** @type {const} */ ({ "--adapter=optional": "optional", "--adapter=none": "none" });

/**
 * Sets this checkout up as far as it is not, and runs a command in it.
 *
 * @param {string[]} argv `[--adapter=optional|none] <file.ts | name of an installed program> [its arguments]`
 */
export async function launch(argv) {
  const need = NEEDS[/** @type {keyof typeof NEEDS} */ (argv[0])];
  const [target, ...args] = need === undefined ? argv : argv.slice(1);
  await runSetUp({
    need: needsNone(basename(target ?? "", ".ts"), args) ? "none" : (need ?? "needed"),
    cache: join(ROOT, ".cache"),
    script: target === undefined ? null : npmScript(ROOT, target, process.env),
    prepare: async () => {
      if (target === undefined)
        throw new SetupError("nothing to run: name a .ts file or an installed program.");
      await ensureModules(ROOT);
    },
    nodeArguments: () => [...nodeArguments(target ?? ""), ...args],
    countsInterrupts: !target?.endsWith(".ts"),
  });
}

/**
 * What Node is called with to run a target: a TypeScript file through tsx, a package's program by its own entry file (no
 * shell and no wrapper between, so that signals arrive).
 *
 * @param {string} target
 * @returns {string[]}
 */
export function nodeArguments(target) {
  if (target.endsWith(".ts")) {
    const file = resolve(ROOT, target);
    if (!existsSync(file)) throw new SetupError(`there is no ${file} to run.`);
    return ["--import", pathToFileURL(createRequire(join(ROOT, "package.json")).resolve("tsx")).href, file];
  }
  const folder = join(ROOT, "node_modules", target);
  if (!existsSync(folder)) throw new SetupError(`there is no installed program called ${target}.`);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [join(folder, typeof bin === "string" ? bin : bin[target])];
}
