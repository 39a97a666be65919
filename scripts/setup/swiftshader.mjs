import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { npm, npmFailure } from "./npm.mjs";
import { readTar } from "./tar.mjs";

/** The npm package that carries SwiftShader and a Vulkan loader, and the checksum its registry publishes for it. */
const PACKAGE = "@sparticuz/chromium@147.0.0";
const SHA512 = "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==";
const ARCHIVE = "package/bin/swiftshader.tar.br";
const FILES = ["libvulkan.so.1", "libvk_swiftshader.so", "vk_swiftshader_icd.json"];

/** Whether SwiftShader can run on this machine at all: its package is built for x64 Linux alone. */
export function swiftshaderFits() {
  return process.platform === "linux" && process.arch === "x64";
}

/** @param {string} cache the folder where it is kept */
export function swiftshaderFolder(cache) {
  return join(cache, "swiftshader");
}

/** @param {string} cache the folder where it is kept */
export function hasSwiftshader(cache) {
  return existsSync(swiftshaderFolder(cache));
}

/**
 * Fetches SwiftShader into the folder `swiftshader`. The folder appears whole or not at all.
 *
 * @param {string} cache the folder where it is kept
 * @returns {Promise<string | null>} why it failed, or null
 */
export async function installSwiftshader(cache) {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "swiftshader-"));
  try {
    const packed = await npm(["pack", PACKAGE, `--pack-destination=${work}`], { cache, cwd: work });
    if (packed.code !== 0) return npmFailure(packed);
    const tarball = readFileSync(join(work, readdirSync(work).find((name) => name.endsWith(".tgz")) ?? ""));
    if (createHash("sha512").update(tarball).digest("base64") !== SHA512) {
      return `the package ${PACKAGE} is not the expected one (its checksum differs)`;
    }
    const archive = readTar(gunzipSync(tarball)).get(ARCHIVE);
    if (archive === undefined) return `the package ${PACKAGE} holds no ${ARCHIVE}`;
    const unpacked = readTar(brotliDecompressSync(archive));
    const ready = join(work, "ready");
    mkdirSync(ready);
    for (const name of FILES) {
      const contents = unpacked.get(name);
      if (contents === undefined) return `the package ${PACKAGE} holds no ${name}`;
      writeFileSync(join(ready, name), contents, { mode: 0o755 });
    }
    if (!hasSwiftshader(cache)) renameSync(ready, swiftshaderFolder(cache));
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The environment under which the Vulkan loader that came with SwiftShader is found: a machine without Vulkan has none.
 *
 * @param {string} cache the folder where it is kept
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export function loaderEnvironment(cache, env) {
  const folders = [swiftshaderFolder(cache), ...(env.LD_LIBRARY_PATH ?? "").split(delimiter)];
  return { LD_LIBRARY_PATH: [...new Set(folders.filter((path) => path !== ""))].join(delimiter) };
}

/**
 * The environment under which Vulkan finds SwiftShader and no other driver.
 *
 * @param {string} cache the folder where it is kept
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export function swiftshaderEnvironment(cache, env) {
  const icd = join(swiftshaderFolder(cache), "vk_swiftshader_icd.json");
  return { ...loaderEnvironment(cache, env), ...onlyDriver(icd) };
}

/**
 * The environment under which Vulkan sees one driver alone; the second variable is the older loaders' name of the first.
 *
 * @param {string} icd the driver's description
 * @returns {Record<string, string>}
 */
export function onlyDriver(icd) {
  return { VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd };
}
