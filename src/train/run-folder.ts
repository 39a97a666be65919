import { access, constants, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { writeFileAtomically } from "../weights/atomic-write.ts";

/** Where runs go that were not told where. */
const RUNS = "runs";

/** An output folder that cannot be used; the message is one sentence for the user. */
export class RunFolderError extends Error {
  override readonly name = "RunFolderError";
}

/** The files of one run. */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder: `out`, or the first free of `runs/train-1`, `runs/train-2` …
   *
   * @throws RunFolderError when it holds something already or cannot be written; nothing is left behind then.
   */
  static async create(out: string | null): Promise<RunFolder> {
    if (out !== null) {
      await claim(out);
      return new RunFolder(out);
    }
    for (let number = 1; ; number++) {
      const path = join(RUNS, `train-${number}`);
      if ((await contents(path)) !== null) continue;
      await claim(path);
      return new RunFolder(path);
    }
  }

  get config(): string {
    return join(this.path, "config.json");
  }
  get environment(): string {
    return join(this.path, "environment.json");
  }
  get history(): string {
    return join(this.path, "history.csv");
  }
  get summary(): string {
    return join(this.path, "summary.json");
  }
  /** After the last epoch, and with the best validation accuracy so far. */
  checkpoint(which: "last" | "best"): string {
    return join(this.path, "checkpoints", `${which}.safetensors`);
  }
  figure(name: "predictions" | "curves"): string {
    return join(this.path, "figures", `${name}.png`);
  }
}

/** Says early whether `out` can be a run's folder, without making it. */
export async function checkRunFolder(out: string | null): Promise<void> {
  const path = resolve(out ?? RUNS);
  if (out !== null && (await contents(out))?.length) throw notEmpty(out);
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      if ((await contents(folder)) !== null) return;
      throw Object.assign(new Error(), { code: "ENOTDIR" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) {
        throw unwritable(out ?? RUNS, error);
      }
    }
  }
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomically(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
}

async function claim(path: string): Promise<void> {
  const before = await contents(path);
  if (before?.length) throw notEmpty(path);
  try {
    await makeFolder(path);
    await makeFolder(join(path, "checkpoints"));
    await makeFolder(join(path, "figures"));
    await writeFileAtomically(join(path, ".writable"), []);
    await rm(join(path, ".writable"));
  } catch (error) {
    if (before === null) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

/** As `mkdir -p`. (Node's own `recursive` never returns where a file system, `/proc` for one, refuses with ENOENT.) */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await contents(path)) !== null) return;
    if (code !== "ENOENT" || (await contents(dirname(path))) !== null) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

/** What a folder holds; null when there is no such folder. */
async function contents(path: string): Promise<string[] | null> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unwritable(path, error);
  }
}

const notEmpty = (path: string): RunFolderError =>
  new RunFolderError(`The output folder ${path} is not empty: give another --out, or remove it first.`);

function unwritable(path: string, error: unknown): RunFolderError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EACCES: "there is no permission to write there",
    EPERM: "there is no permission to write there",
    EROFS: "the file system is read-only",
    ENOTDIR: "a part of the path is a file, not a folder",
    ENOSPC: "the disk is full",
  };
  const reason = (code !== undefined && reasons[code]) || message.replace(/\s+/g, " ");
  return new RunFolderError(`The output folder ${path} cannot be written: ${reason}; give another --out.`);
}
