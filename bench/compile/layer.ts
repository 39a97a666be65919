/**
 * @file The Vulkan layer under which a driver compiles and does not run (`compile_only.c`): built with the system's C
 * compiler into `.cache`, and the environment under which Dawn opens a card that is not there.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installedDriver } from "../../scripts/setup/lavapipe.mjs";

const SOURCE = fileURLToPath(new URL("./compile_only.c", import.meta.url));
const CACHE = fileURLToPath(new URL("../../.cache/compile-lab", import.meta.url));
const LAYER = "VK_LAYER_BESPOKE_compile_only";
const HEADERS = "#include <vulkan/vulkan.h>\n#include <vulkan/vk_layer.h>\n";

/**
 * What this machine lacks, as a sentence that says what to install; null where the lab can work.
 *
 * @param driver of RADV's description, null where there is none; looked for by default.
 */
export function whatIsMissing(driver = radeonDriver(), compiler = "cc"): string | null {
  if (process.platform !== "linux")
    return "The compiler lab needs Linux: it compiles with Mesa's RADV driver.";
  const missing: [what: string, by: string][] = [];
  const probe = spawnSync(compiler, ["-fsyntax-only", "-x", "c", "-"], { input: HEADERS });
  if (probe.error) missing.push(["a C compiler", "gcc"]);
  // Without a compiler nobody can tell where it would look for them.
  if (probe.error ? !existsSync("/usr/include/vulkan/vk_layer.h") : probe.status !== 0)
    missing.push(["Vulkan's headers", "libvulkan-dev"]);
  if (driver === null)
    missing.push(["Mesa's RADV driver (radeon_icd.json)", "mesa-vulkan-drivers, 24.1 or newer"]);
  if (missing.length === 0) return null;
  const what = missing.map(([name]) => name).join(" and ");
  return `The compiler lab needs ${what}: install ${missing.map(([, by]) => by).join(" and ")}.`;
}

/** Where RADV's driver description is, when it is installed. */
const radeonDriver = (): string | null => installedDriver(/^radeon_icd.*\.json$/);

/**
 * The variables under which a process finds one adapter, a card of `family`, and every pipeline that it makes is written to
 * the file `record`, a line each (see `compile_only.c`).
 *
 * @throws Error in one sentence when something is missing or the layer does not compile.
 */
export function compileOnly(family: string, record: string): Record<string, string> {
  const driver = radeonDriver();
  const missing = whatIsMissing(driver);
  if (missing !== null) throw new Error(missing);
  return {
    VK_LAYER_PATH: buildLayer(),
    VK_INSTANCE_LAYERS: LAYER,
    VK_DRIVER_FILES: driver!,
    // Of loaders that do not know the former yet.
    VK_ICD_FILENAMES: driver!,
    RADV_FORCE_FAMILY: family,
    COMPILE_RECORD: record,
  };
}

/** Builds the layer where that was not done before and returns its folder. */
function buildLayer(): string {
  const digest = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 16);
  const folder = join(CACHE, digest);
  const manifest = join(folder, "layer.json");
  if (existsSync(manifest)) return folder;
  mkdirSync(folder, { recursive: true });
  const library = join(folder, "libcompile_only.so");
  // Another process may be at it too: the last to rename wins, and both have made the same.
  const unfinished = `${library}.${process.pid}`;
  const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden"];
  const built = spawnSync("cc", [...flags, "-o", unfinished, SOURCE], { encoding: "utf8" });
  if (built.status !== 0)
    throw new Error(
      `The compiler lab's Vulkan layer does not compile:\n${built.stderr || String(built.error)}`,
    );
  renameSync(unfinished, library);
  const layer = {
    name: LAYER,
    type: "GLOBAL",
    library_path: "./libcompile_only.so",
    api_version: "1.3.239",
    implementation_version: "1",
    description: "Compiles and does not run",
  };
  writeFileSync(`${manifest}.${process.pid}`, JSON.stringify({ file_format_version: "1.1.2", layer }));
  renameSync(`${manifest}.${process.pid}`, manifest);
  return folder;
}
