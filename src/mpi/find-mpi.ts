/** @file Where this machine's MPI is: a library of the standard ABI, and the `mpiexec` that starts ranks for it. */
import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { MpiError } from "./mpi-error.ts";

/** An MPI of the standard ABI. */
export interface MpiInstallation {
  /** The library `libmpi_abi`. */
  readonly library: string;
  /** What starts ranks, where it lies beside the library. */
  readonly mpiexec: string | null;
}

export interface FindMpiOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  /** Asks a Python what its prefixes are, best first; null asks none. */
  readonly python?: (() => Promise<readonly string[]>) | null;
}

/** As MPICH, Open MPI and Intel MPI call the library of the standard ABI. */
const NAMES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ["libmpi_abi.dylib", "libmpi_abi.1.dylib", "libmpi_abi.0.dylib"],
  win32: ["mpi_abi.dll", "impi_abi.dll"],
};
const ELF_NAMES = ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.so"];

const HOW_TO_GET_ONE =
  "MPICH 5, Open MPI 6 and Intel MPI bring one; `pip install mpich` installs it without a compiler. Set BESPOKE_MPI to " +
  "the library or to the folder that it was installed in.";

/**
 * Finds an MPI: the one that `BESPOKE_MPI` names, the one beside the `mpiexec` of the path, of the active Python or conda environment,
 * where the system's loader looks, or of `python3`.
 *
 * @throws MpiError where there is none, or only one without the standard ABI.
 */
export async function findMpi({
  env = process.env,
  platform = process.platform,
  python = pythonPrefixes,
}: FindMpiOptions = {}): Promise<MpiInstallation> {
  const names = NAMES[platform] ?? ELF_NAMES;
  const inPrefix = (prefix: string): Promise<MpiInstallation | null> =>
    installationIn(prefix, names, platform);
  const said = env.BESPOKE_MPI;
  if (said) {
    const found = (await isFile(said))
      ? { library: said, mpiexec: await mpiexecIn(dirname(dirname(said)), platform) }
      : await inPrefix(said);
    if (found) return found;
    throw new MpiError(`BESPOKE_MPI is ${said}, where there is no ${names[0]}. ${HOW_TO_GET_ONE}`);
  }
  const mpiexec = await onPath("mpiexec", env, platform);
  const prefixes = [
    ...(mpiexec === null ? [] : [dirname(dirname(mpiexec)), dirname(dirname(await realpath(mpiexec)))]),
    ...[env.VIRTUAL_ENV, env.CONDA_PREFIX].filter((prefix) => prefix !== undefined),
    ...librariesOf(env, platform),
    ...(platform === "win32" ? [] : ["/usr/local", "/usr", "/opt/homebrew"]),
  ];
  for (const prefix of prefixes) {
    const found = await inPrefix(prefix);
    if (found) return found;
  }
  for (const prefix of (await python?.()) ?? []) {
    const found = await inPrefix(prefix);
    if (found) return found;
  }
  const which =
    mpiexec === null
      ? "There is no MPI on this machine"
      : `The MPI of ${mpiexec} is older than the standard ABI of MPI 5: it has no ${names[0]}`;
  throw new MpiError(`${which}. ${HOW_TO_GET_ONE}`);
}

/** Where the loader of the system is told to look. */
function librariesOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const said = platform === "darwin" ? env.DYLD_LIBRARY_PATH : env.LD_LIBRARY_PATH;
  return said?.split(delimiter).filter((folder) => folder !== "") ?? [];
}

/** @param prefix what was installed into, or the folder of the library itself. */
async function installationIn(
  prefix: string,
  names: readonly string[],
  platform: NodeJS.Platform,
): Promise<MpiInstallation | null> {
  for (const folder of [
    "lib",
    "lib64",
    join("lib", "x86_64-linux-gnu"),
    join("lib", "aarch64-linux-gnu"),
    "bin",
    "",
  ]) {
    for (const name of names) {
      const library = join(prefix, folder, name);
      if (!(await isFile(library))) continue;
      const above = folder === "" ? dirname(prefix) : prefix;
      return { library, mpiexec: await mpiexecIn(above, platform) };
    }
  }
  return null;
}

async function mpiexecIn(prefix: string, platform: NodeJS.Platform): Promise<string | null> {
  const mpiexec = join(prefix, "bin", platform === "win32" ? "mpiexec.exe" : "mpiexec");
  return (await isFile(mpiexec)) ? mpiexec : null;
}

async function onPath(
  program: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): Promise<string | null> {
  const name = platform === "win32" ? `${program}.exe` : program;
  for (const folder of env.PATH?.split(delimiter) ?? []) {
    const file = join(folder, name);
    if (folder !== "" && (await isFile(file))) return file;
  }
  return null;
}

async function pythonPrefixes(): Promise<string[]> {
  const ask = "import site, sys; print(sys.prefix); print(site.getuserbase())";
  try {
    const { stdout } = await promisify(execFile)("python3", ["-c", ask], { timeout: 10_000 });
    return stdout.split("\n").filter((line) => line !== "");
  } catch {
    // A machine without Python has no MPI of one.
    return [];
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
