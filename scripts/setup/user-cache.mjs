import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where what was downloaded is kept from one project of this user's to the next, as each system has it.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 * @returns {string}
 */
export function userCache(env = process.env, platform = process.platform) {
  if (platform === "win32")
    return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "bespoke", "Cache");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "bespoke");
  // A relative path is to be passed over: the XDG Base Directory Specification.
  const folder = env.XDG_CACHE_HOME ?? "";
  return join(isAbsolute(folder) ? folder : join(homedir(), ".cache"), "bespoke");
}
