import { access, constants, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { makeFolder } from "../files/make-folder.ts";
import type { JudgedFigureName } from "./figures/judged.ts";

/** Where runs go that were not told where. */
export const RUNS = "runs";

/** An output folder that cannot be used; the message is one sentence for the user. */
export class RunFolderError extends Error {
  override readonly name = "RunFolderError";
}

export type FigureName =
  | "samples"
  | "resized"
  | "augmentations"
  | "predictions"
  | "predictions_frozen"
  | "predictions_finetuned"
  | "curves"
  | "confusion"
  | "classes"
  | JudgedFigureName;

/** The files of one run. */
export class RunFolder {
  /** The folder itself. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder: `out`, or the first free of `runs/<name>-1`, `runs/<name>-2` …
   *
   * @throws RunFolderError when it holds something already or cannot be written; nothing is left behind then.
   */
  static async create({ out, name }: { out: string | null; name: string }): Promise<RunFolder> {
    if (out !== null) {
      const made = await makeNew(out);
      if (!made && (await contents(out))?.length) throw notEmpty(out);
      return RunFolder.#furnish(out, made);
    }
    for (let number = 1; ; number++) {
      const path = join(RUNS, `${name}-${number}`);
      if (await makeNew(path)) return RunFolder.#furnish(path, true);
    }
  }

  /** @param made whether the folder was made for it, and goes when something fails. */
  static async #furnish(path: string, made: boolean): Promise<RunFolder> {
    try {
      await makeFolder(join(path, "checkpoints"));
      await makeFolder(join(path, "figures"));
      await writeFileAtomically(join(path, ".writable"), []);
      await rm(join(path, ".writable"));
      return new RunFolder(path);
    } catch (error) {
      if (made) await rm(path, { recursive: true, force: true }).catch(() => undefined);
      throw unwritable(path, error);
    }
  }

  /**
   * The folder of a run that was begun before: `path`, or `runs/<path>`.
   *
   * @throws RunFolderError when there is none.
   */
  static async open(path: string): Promise<RunFolder> {
    for (const folder of [path, join(RUNS, path)]) {
      const held = await contents(folder).catch(() => null);
      if (held?.includes("config.json")) return new RunFolder(folder);
    }
    throw new RunFolderError(
      `${path} is no run: give the folder of one, such as ${join(RUNS, "train-1")}, with its config.json.`,
    );
  }

  /**
   * Removes files that a process which was killed had not given their names yet. Only for whoever has locked the run: another
   * process may be writing them.
   */
  async removeAbandoned(): Promise<void> {
    for (const folder of [this.path, join(this.path, "checkpoints"), join(this.path, "figures")]) {
      const names = (await contents(folder).catch(() => null)) ?? [];
      for (const name of names.filter((name) => name.endsWith(".tmp")))
        await rm(join(folder, name), { force: true, recursive: true });
    }
  }

  /** Whether a file is there. */
  holds(file: string): Promise<boolean> {
    return access(file).then(
      () => true,
      () => false,
    );
  }

  /** Every setting, `config.json`. */
  get config(): string {
    return join(this.path, "config.json");
  }
  /** Machine, adapter and versions, `environment.json`. */
  get environment(): string {
    return join(this.path, "environment.json");
  }
  /** The weight of each class, of a run that weighs them. */
  get classWeights(): string {
    return join(this.path, "class-weights.json");
  }
  /** The tiles of its matrix products. */
  get tiles(): string {
    return join(this.path, "tiles.json");
  }
  /** Says which process writes the run, as long as one does. */
  get lock(): string {
    return join(this.path, "run.lock");
  }
  /** What it is trained and validated on: each file's digest. */
  get data(): string {
    return join(this.path, "data.json");
  }
  /** A line an epoch, `history.csv`. */
  get history(): string {
    return join(this.path, "history.csv");
  }
  /** How well each validation photo was labelled at the end. */
  get photos(): string {
    return join(this.path, "photos.csv");
  }
  /** What came of the run, `summary.json`. */
  get summary(): string {
    return join(this.path, "summary.json");
  }
  /** The memory plan of each phase's training step. */
  get plan(): string {
    return join(this.path, "plan.json");
  }
  /** The folder of the event files. */
  get tensorboard(): string {
    return join(this.path, "tensorboard");
  }
  /** Where the run stands, the epoch with the best validation accuracy so far, or the end of one epoch. */
  checkpoint(which: "last" | "best" | number): string {
    const name = typeof which === "number" ? `epoch-${which}` : which;
    return join(this.path, "checkpoints", `${name}.safetensors`);
  }
  /** The file of a picture, `figures/<name>.png`. */
  figure(name: FigureName): string {
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

/** Makes a folder; false when there is something of its name, made by another run in this moment perhaps. */
async function makeNew(path: string): Promise<boolean> {
  try {
    await makeFolder(dirname(path));
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unwritable(path, error);
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

export function unwritable(path: string, error: unknown, mend = "give another --out"): RunFolderError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EACCES: "there is no permission to write there",
    EPERM: "there is no permission to write there",
    EROFS: "the file system is read-only",
    ENOTDIR: "a part of the path is a file, not a folder",
    ENOSPC: "the disk is full",
  };
  const reason = (code !== undefined && reasons[code]) || message.replace(/\s+/g, " ");
  return new RunFolderError(`The output folder ${path} cannot be written: ${reason}; ${mend}.`);
}
