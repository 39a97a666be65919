import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readLaunched } from "../../scripts/setup/launched.mjs";

/**
 * A path from the command line, relative to where its user stands. `npm run` moves to the checkout, where what is not said
 * has its place (`runs`, `.cache`); a path that was given from another folder becomes absolute.
 */
export function userPath(path: string): string {
  const folder = readLaunched()?.script?.folder;
  // An empty one is refused by who reads it.
  if (path === "" || folder === undefined || resolve(folder) === process.cwd()) return path;
  return resolve(folder, path);
}

/** {@link userPath} of a model or a run; where there is none, it may be the name of one below `runs`, and stays as it is. */
export function userModel(path: string): string {
  const there = userPath(path);
  return existsSync(there) ? there : path;
}
