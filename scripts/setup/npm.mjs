import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { capture } from "./processes.mjs";

/**
 * Runs npm: the one that started this process when there is one, else the one on the PATH.
 *
 * Install scripts are switched off: nothing here needs one, so it makes no difference whether this npm would have
 * run or blocked them.
 *
 * @param {string[]} args
 * @param {{ cwd: string, cache: string }} where it runs, and where it keeps what it has downloaded when there is no home
 */
export function npm(args, { cwd, cache }) {
  const flags = [
    ...["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
    ...["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"],
    ...(homeIsWritable() ? [] : [`--cache=${join(cache, "npm")}`]),
  ];
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /^npm(-cli)?\.c?js$/.test(basename(cli))) {
    return capture(process.execPath, [cli, ...args, ...flags], { cwd, timeoutSeconds: 1200 });
  }
  // On Windows npm is a .cmd file, which only a shell can start.
  return capture("npm", [...args, ...flags], {
    cwd,
    timeoutSeconds: 1200,
    shell: process.platform === "win32",
  });
}

function homeIsWritable() {
  try {
    accessSync(homedir(), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether npm could not even start, or not resolve its registry's name: asking again would only take longer.
 *
 * @param {import("./processes.mjs").Finished} result
 */
export function isOffline({ failure, stderr }) {
  return failure !== null || /\b(ENOTFOUND|EAI_AGAIN)\b/.test(stderr);
}

/**
 * Why npm failed and how to mend it, in the form "cause; remedy".
 *
 * @param {import("./processes.mjs").Finished} result
 * @returns {string}
 */
export function npmFailure({ failure, stderr, code, signal }) {
  if (failure) return "npm is not installed; install it (it comes with Node)";
  const network =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ENETUNREACH|EHOSTUNREACH)\b/.exec(
      stderr,
    );
  if (network) return `npm cannot reach its registry (${network[1]}); connect this machine to the internet`;
  const denied = /\b(EACCES|EPERM|EROFS)\b/.exec(stderr);
  if (denied) return `this user may not write there (${denied[1]}); make the project's folder writable`;
  if (/\bENOSPC\b/.test(stderr)) return "the disk is full (ENOSPC); free some space";
  if (/can only install packages when your package\.json and package-lock\.json/.test(stderr)) {
    return "package.json and package-lock.json disagree; run `npm install` to bring them together";
  }
  const lines = stderr.split("\n").map((line) => line.replace(/^npm (error|ERR!)\s*/, "").trim());
  const said = lines.find((line) => line !== "" && !line.startsWith("code "));
  return `npm failed with ${signal ?? `exit code ${code}`}${said ? ` ("${said}")` : ""}; put that right`;
}
