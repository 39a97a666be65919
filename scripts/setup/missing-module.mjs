import { createRequire } from "node:module";

// By another name than `require`, at which tsc would copy the manifest.
const load = createRequire(import.meta.url);

/**
 * What to do about an import that failed because a module is not installed that the package can be installed without.
 *
 * @param {unknown} error
 * @returns {string | null} one sentence; null for any other error
 */
export function missingModule(error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error ?? {});
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return null;
  const name = /Cannot find (?:package|module) '((?:@[^/']+\/)?[^/']+)/.exec(message ?? "")?.[1] ?? "";
  const version = load("bespoke/package.json").optionalDependencies[name];
  if (version === undefined) return null;
  return (
    `This needs the module ${name}, which is not installed: run \`npm install ${name}@${version}\`, or ` +
    "`npm install --include=optional` for all that bespoke's programs need."
  );
}
