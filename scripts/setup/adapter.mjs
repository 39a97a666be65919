import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseAdapter, isAdapterName } from "./adapter-choice.mjs";
import { hasApt, installedLavapipe, installLavapipe, lavapipeCommand, PACKAGES } from "./lavapipe.mjs";
import { withLock } from "./lock.mjs";
import { SetupError, say } from "./messages.mjs";
import { probe } from "./probe.mjs";
import { pause } from "./processes.mjs";
import {
  hasSwiftshader,
  installSwiftshader,
  loaderEnvironment,
  onlyDriver,
  swiftshaderEnvironment,
  swiftshaderFits,
} from "./swiftshader.mjs";

/** After apt failed, or installed a Mesa that Dawn refuses, it is left alone for so long. */
const APT_PAUSE_HOURS = 24;

/** What a person at a terminal has to say no. */
const APT_GRACE_SECONDS = 5;

/**
 * The search for an adapter: what is wanted, and what has been tried in vain, for the user to read.
 *
 * @typedef {{ cache: string, env: NodeJS.ProcessEnv, wanted: string, ownDrivers: boolean, tried: string[] }} Search
 *
 * Variables under which the command will find its adapter, or null: go on searching.
 * @typedef {Record<string, string> | null} Outcome
 */

/**
 * Makes sure that Dawn has an adapter, installing a software driver where there is none, and says by which environment
 * variables it is found: a GPU first, then lavapipe, then SwiftShader.
 *
 * `BESPOKE_ADAPTER` (auto, hardware, lavapipe, swiftshader, or a part of an adapter's name) narrows the choice;
 * `BESPOKE_NO_APT=1` keeps set-up from installing system packages. Where the user has pointed Vulkan at certain drivers,
 * no other of the system's is looked at.
 *
 * @param {string} cache the folder where software drivers are kept
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Record<string, string>>} variables to set for the command
 * @throws {SetupError} when there is no adapter and none can be had
 */
export async function ensureAdapter(cache, env) {
  /** @type {Search} */
  const search = {
    cache,
    env,
    wanted: env.BESPOKE_ADAPTER || "auto",
    ownDrivers: Boolean(env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES),
    tried: [],
  };
  for (const step of stepsFor(search.wanted)) {
    const found = await step(search);
    if (found !== null) return found;
  }
  throw new SetupError(nothingFound(search));
}

/** @param {string} wanted */
function stepsFor(wanted) {
  if (wanted === "swiftshader") return [fetchedSwiftshader];
  if (wanted === "lavapipe") return [systemDrivers, lavapipeAlone, lavapipeFromApt];
  if (wanted === "auto") return [systemDrivers, lavapipeAlone, lavapipeFromApt, fetchedSwiftshader];
  return [systemDrivers];
}

/**
 * Probes under some variables more than the user's own.
 *
 * @param {Search} search
 * @param {Record<string, string>} variables
 * @returns {Promise<Outcome>}
 */
async function attempt({ env, wanted, tried }, variables) {
  const result = await probe({ ...env, ...variables });
  if (result.unloadable !== undefined) throw new SetupError(unloadableSentence(result.unloadable));
  if (result.crashed) tried.push("a Vulkan driver crashed");
  const choice = chooseAdapter(result.adapters, wanted);
  if (choice === null) return null;
  // Why there is none better interests only who got the slowest.
  const note = choice.kind === "swiftshader" ? tried.join("; ") : "";
  return { ...variables, BESPOKE_CHOSEN_ADAPTER: choice.adapter.name, BESPOKE_SETUP_NOTE: note };
}

/** @param {Search} search */
function systemDrivers(search) {
  return attempt(search, {});
}

/**
 * lavapipe without the other drivers, one of which may have crashed the probe.
 *
 * @param {Search} search
 */
async function lavapipeAlone(search) {
  const icd = installedLavapipe();
  if (icd === null || search.ownDrivers) return null;
  const found = await attempt(search, onlyDriver(icd));
  if (found === null) search.tried.push("Dawn refuses the installed Mesa");
  return found;
}

/**
 * @param {Search} search
 * @returns {Promise<Outcome>}
 */
async function lavapipeFromApt(search) {
  const { cache, env, tried } = search;
  if (!hasApt() || search.ownDrivers) return null;
  const failed = join(cache, "apt-failed");
  const obstacle =
    (env.BESPOKE_NO_APT === "1" && "BESPOKE_NO_APT keeps lavapipe from being installed") ||
    (process.getuid?.() !== 0 && "installing lavapipe takes root") ||
    (isRecent(failed) && `lavapipe could not be installed: ${readFileSync(failed, "utf8").trim()}`);
  if (obstacle) {
    tried.push(obstacle);
    return null;
  }
  return await withLock(join(cache, "setup.lock"), async () => {
    const meanwhile = await attempt(search, {});
    if (meanwhile !== null) return meanwhile;
    say(aptNotice());
    if (process.stderr.isTTY) await pause(APT_GRACE_SECONDS);
    const failure = await installLavapipe();
    const found = failure === null ? await attempt(search, {}) : null;
    if (found !== null) {
      rmSync(failed, { force: true });
      return found;
    }
    const reason = failure ?? "Dawn refuses the Mesa that apt has";
    tried.push(`lavapipe could not be installed: ${reason}`);
    mkdirSync(dirname(failed), { recursive: true });
    writeFileSync(failed, `${reason}\n`);
    return null;
  });
}

/** What is about to be installed on this system, and how to have it left alone. */
function aptNotice() {
  const instead = swiftshaderFits() ? ", and SwiftShader, which is slower, is fetched instead" : "";
  const grace = process.stderr.isTTY ? ` in ${APT_GRACE_SECONDS} s (Ctrl-C stops here)` : "";
  return (
    `no GPU found: installing lavapipe, a software driver, on this system with apt${grace}: ${PACKAGES.join(", ")} and what ` +
    `they need; with BESPOKE_NO_APT=1 nothing is installed${instead}`
  );
}

/**
 * @param {Search} search
 * @returns {Promise<Outcome>}
 */
async function fetchedSwiftshader(search) {
  const { cache, env, tried } = search;
  if (!swiftshaderFits()) {
    tried.push("SwiftShader is for x64 Linux only");
    return null;
  }
  if (!hasSwiftshader(cache)) {
    const failure = await withLock(join(cache, "setup.lock"), async () => {
      if (hasSwiftshader(cache)) return null;
      say("fetching SwiftShader, a software driver, from npm (68 MB)");
      return await installSwiftshader(cache);
    });
    if (failure !== null) {
      tried.push(`SwiftShader could not be fetched: ${failure}`);
      return null;
    }
  }
  if (search.wanted === "auto" && !search.ownDrivers) {
    // A GPU's driver may be there and only the loader be missing, which came with SwiftShader.
    const found = await attempt(search, loaderEnvironment(cache, env));
    if (found !== null) return found;
  }
  const found = await attempt(search, swiftshaderEnvironment(cache, env));
  if (found === null) tried.push("Dawn refuses SwiftShader");
  return found;
}

/** @param {string} file */
function isRecent(file) {
  return existsSync(file) && Date.now() - statSync(file).mtimeMs < APT_PAUSE_HOURS * 3600 * 1000;
}

/** @param {string} message */
function unloadableSentence(message) {
  return (
    `Dawn, the WebGPU implementation, does not load on ${process.platform}-${process.arch} (${message.split("\n")[0]}): ` +
    `use Windows, macOS, or a Linux with glibc 2.34 or newer (Debian 12, Ubuntu 22.04), x64 or arm64.`
  );
}

/** @param {Search} search */
function nothingFound({ wanted, tried }) {
  const what =
    wanted === "auto" ? "no WebGPU adapter was found" : `no WebGPU adapter matches BESPOKE_ADAPTER=${wanted}`;
  const why = tried.length > 0 ? ` (${[...new Set(tried)].join("; ")})` : "";
  if (wanted === "hardware" || isAdapterName(wanted)) {
    return `${what}${why}: unset BESPOKE_ADAPTER to let the best adapter be chosen.`;
  }
  const mend =
    process.platform === "linux" ? `run \`${lavapipeCommand()}\`` : "update the driver of this machine's GPU";
  return `${what}${why}: ${mend}, then run the same command again.`;
}
