import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { backportsSources, parseAptSources } from "./apt-sources.mjs";
import { capture } from "./processes.mjs";

/** lavapipe is in the first, the Vulkan loader in the second. */
export const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];

const INSTALLER = fileURLToPath(new URL("../install-lavapipe.mjs", import.meta.url));

const ICD_FOLDERS = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/**
 * Where a Vulkan driver's description is, when it is installed.
 *
 * @param {RegExp} pattern of the file's name
 * @returns {string | null}
 */
export function installedDriver(pattern) {
  for (const folder of ICD_FOLDERS.filter((candidate) => existsSync(candidate))) {
    const file = readdirSync(folder).find((name) => pattern.test(name));
    if (file !== undefined) return join(folder, file);
  }
  return null;
}

/** Where lavapipe's driver description is, when it is installed. */
export const installedLavapipe = () => installedDriver(/^lvp_icd.*\.json$/);

/** Whether this machine uses apt. */
export function hasApt() {
  return process.platform === "linux" && isOnPath("apt-get");
}

/**
 * The command by which an administrator installs lavapipe on this machine, for a message.
 *
 * @returns {string}
 */
export function lavapipeCommand() {
  const sudo = process.getuid?.() === 0 ? "" : "sudo ";
  if (hasApt()) {
    // The backports' source may be missing, and then apt-get alone would not do.
    if (needsBackports(osRelease()) !== null)
      return `${sudo}${process.execPath} ${relative(process.cwd(), INSTALLER)}`;
    return `${sudo}apt-get install ${PACKAGES.join(" ")}`;
  }
  if (isOnPath("dnf")) return `${sudo}dnf install mesa-vulkan-drivers vulkan-loader`;
  if (isOnPath("pacman")) return `${sudo}pacman -S vulkan-swrast vulkan-icd-loader`;
  if (isOnPath("zypper")) return `${sudo}zypper install libvulkan_lvp libvulkan1`;
  return "your system's installer for Mesa's Vulkan drivers (lavapipe) and the Vulkan loader";
}

/**
 * Installs lavapipe and the Vulkan loader with apt, as root. The system's own list of sources is left as it is.
 *
 * @returns {Promise<string | null>} why it failed, or null
 */
export async function installLavapipe() {
  const release = osRelease();
  const backports = needsBackports(release);
  if (backports === null) return aptInstall([], []);
  const text = backportsSources(systemSources(), release.VERSION_CODENAME ?? "");
  if (text === null) return `apt has no source for ${release.PRETTY_NAME}`;
  const folder = mkdtempSync(join(tmpdir(), "bespoke-apt-"));
  try {
    // apt reads as a user of its own.
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "bespoke.sources"), text);
    const sources = ["-o", `Dir::Etc::sourceparts=${folder}`, "-o", "Dir::Etc::sourcelist=/dev/null"];
    // Without the last, apt would throw away the lists of the sources that are left out here.
    return await aptInstall([...sources, "-o", "APT::Get::List-Cleanup=0"], ["-t", backports]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string[]} options for every call of apt-get
 * @param {string[]} target
 * @returns {Promise<string | null>}
 */
async function aptInstall(options, target) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const patience = [
    "-o",
    "Acquire::Retries=2",
    "-o",
    "Acquire::http::Timeout=30",
    "-o",
    "DPkg::Lock::Timeout=120",
  ];
  // An update may fail for a source that has nothing to do with this: the install says whether it mattered.
  await capture("apt-get", ["update", ...patience, ...options], { env, timeoutSeconds: 300 });
  const install = [
    "install",
    "-y",
    "--no-install-recommends",
    ...target,
    ...patience,
    ...options,
    ...PACKAGES,
  ];
  const result = await capture("apt-get", install, { env, timeoutSeconds: 900 });
  if (result.code === 0) return null;
  const error = result.stderr.split("\n").find((line) => line.startsWith("E: "));
  return error?.slice(3) ?? `apt-get failed with ${result.signal ?? `exit code ${result.code}`}`;
}

/**
 * The backports suite to install from, or null where the release's own Mesa will do: Dawn refuses Debian 12's 22.3.
 *
 * @param {Record<string, string>} release the fields of os-release
 * @returns {string | null}
 */
export function needsBackports({ ID, VERSION_ID, VERSION_CODENAME }) {
  return ID === "debian" && VERSION_CODENAME !== undefined && Number(VERSION_ID) < 13
    ? `${VERSION_CODENAME}-backports`
    : null;
}

/**
 * The fields of an os-release file.
 *
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseOsRelease(text) {
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=["']?(.*?)["']?$/gm)].map(([, key, value]) => [key, value]),
  );
}

function osRelease() {
  const path = "/etc/os-release";
  return existsSync(path) ? parseOsRelease(readFileSync(path, "utf8")) : {};
}

function systemSources() {
  const folder = "/etc/apt/sources.list.d";
  const parts = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return ["/etc/apt/sources.list", ...parts.filter((path) => /\.(list|sources)$/.test(path))]
    .filter((path) => existsSync(path))
    .flatMap((path) => parseAptSources(readFileSync(path, "utf8"), path));
}

/** @param {string} program */
function isOnPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
