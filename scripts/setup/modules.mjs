import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { SetupError, say } from "./messages.mjs";
import { isOffline, npm, npmFailure } from "./npm.mjs";

/**
 * One entry of a package-lock's `packages`, keyed by its folder (`node_modules/sharp`).
 *
 * @typedef {{ version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   optionalDependencies?: Record<string, string> }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} PackageLock
 */

/**
 * Installs the modules when they are missing or not those of package-lock.json.
 *
 * @param {string} root the project's folder
 * @throws {SetupError}
 */
export async function ensureModules(root) {
  if (staleness(root) === null) return;
  const cache = join(root, ".cache");
  await withLock(join(cache, "setup.lock"), async () => {
    const reason = staleness(root);
    if (reason === null) return;
    say(`installing the modules (${reason})`);
    const install = ["ci", "--include=dev", "--include=optional"];
    let result = await npm([...install, "--prefer-offline"], { cwd: root, cache });
    // A cached registry answer may be older than the lock file, or the network have hiccuped: ask once more.
    if (result.code !== 0 && !isOffline(result)) result = await npm(install, { cwd: root, cache });
    if (result.code !== 0) {
      throw new SetupError(
        `the modules could not be installed: ${npmFailure(result)}, then run the same command again.`,
      );
    }
    writeFileSync(stampPath(root), fingerprint(root));
    // An optional module that cannot be had is no failure to npm.
    const lacking = staleness(root);
    if (lacking !== null) {
      rmSync(stampPath(root), { force: true });
      throw new SetupError(`the modules are not all installed (${lacking}): run \`npm ci\` to see why.`);
    }
  });
}

/**
 * Why the modules have to be installed, or null when they need not be.
 *
 * @param {string} root the project's folder
 * @returns {string | null}
 */
export function staleness(root) {
  const stamp = stampPath(root);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint(root)) {
    const { dependencies, optionalDependencies, devDependencies } = readJson(join(root, "package.json"));
    const gone = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).find(
      (name) => !existsSync(join(root, "node_modules", name, "package.json")),
    );
    return gone === undefined ? null : `${gone} is missing`;
  }
  // Somebody else's `npm ci` or `npm install` is as good as ours.
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return "there are none";
  return difference(readJson(join(root, "package-lock.json")), readJson(installed), process);
}

/**
 * The first way in which the installed modules are not the locked ones, or null.
 *
 * @param {PackageLock} locked package-lock.json
 * @param {PackageLock} installed node_modules/.package-lock.json, which npm writes last
 * @param {{ platform: string, arch: string }} machine
 * @returns {string | null}
 */
export function difference(locked, installed, { platform, arch }) {
  // What people may install without, this checkout has.
  const ours = Object.keys(locked.packages?.[""]?.optionalDependencies ?? {}).map(
    (name) => `node_modules/${name}`,
  );
  for (const [folder, { version, optional, os, cpu, libc }] of Object.entries(locked.packages ?? {})) {
    if (folder === "") continue;
    const found = installed.packages?.[folder];
    const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
    if (found !== undefined && found.version !== version)
      return `${name} is ${found.version} and not ${version}`;
    // Of the optional packages (one binary a platform) npm leaves out those of other platforms. Which C library this
    // is takes long to find out, so packages that depend on it are not asked for.
    const here = os !== undefined && os.includes(platform) && (cpu === undefined || cpu.includes(arch));
    const expected =
      optional !== true || ours.includes(folder) || (here && cpu !== undefined && libc === undefined);
    if (found === undefined && expected) return `${name} is missing`;
  }
  return null;
}

/** @param {string} root */
function stampPath(root) {
  return join(root, "node_modules", ".bespoke-installed");
}

/**
 * What the installed modules depend on: the lock file and the machine.
 *
 * @param {string} root
 */
function fingerprint(root) {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return `${lock} ${process.platform} ${process.arch}\n`;
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
