import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../message-of.ts";
import { DataError } from "../data-error.ts";

/** Folders in folders that are searched. */
const DEEPEST = 12;

/** What `--data` names: a folder, or a file that a labelling tool wrote. Folders are listed once. */
export class Place {
  readonly path: string;
  readonly isFolder: boolean;
  readonly #entries = new Map<string, Promise<readonly Dirent[] | undefined>>();

  private constructor(path: string, isFolder: boolean) {
    this.path = path;
    this.isFolder = isFolder;
  }

  /** The place at `path`; undefined where nothing is. */
  static async at(path: string): Promise<Place | undefined> {
    const kind = await whatIs(path);
    return kind && new Place(path, kind === "folder");
  }

  /** A path below, or the place's own. */
  file(below = ""): string {
    return join(this.path, below);
  }

  /** What `below`, with `/`, is. */
  async has(below: string): Promise<"folder" | "file" | undefined> {
    return this.isFolder ? whatIs(this.file(below)) : undefined;
  }

  /**
   * What lies in a folder, hidden files aside, in the order of the names as one has them written (NFC); undefined where there
   * is no such folder.
   *
   * @throws DataError when it cannot be read
   */
  async entries(below = ""): Promise<readonly Dirent[] | undefined> {
    const known = this.#entries.get(below);
    if (known !== undefined) return known;
    const listed = list(this.file(below));
    this.#entries.set(below, listed);
    return listed;
  }

  /**
   * All files of a folder and of those in it, as paths below it with `/`.
   *
   * @throws DataError as {@link entries} does, and when folders lie too deep in one another
   */
  async files(below = "", depth = 0): Promise<string[]> {
    if (depth > DEEPEST) {
      throw new DataError(
        `Folders of ${this.path} lie too deep in one another (${below.slice(0, 80)} …): remove a link that leads back.`,
      );
    }
    const entries = (await this.entries(below)) ?? [];
    const found = await Promise.all(
      entries.map(async (entry) => {
        const name = entry.name;
        const path = below === "" ? name : `${below}/${name}`;
        // A link may lead to a folder.
        const isFolder =
          entry.isDirectory() || (entry.isSymbolicLink() && (await this.has(path)) === "folder");
        return isFolder ? (await this.files(path, depth + 1)).map((file) => `${name}/${file}`) : [name];
      }),
    );
    return found.flat();
  }
}

async function list(folder: string): Promise<readonly Dirent[] | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !name.startsWith("."))
      .sort((a, b) => (a.name.normalize() < b.name.normalize() ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new DataError(`The folder ${folder} cannot be read (${messageOf(error)}): make it readable.`);
  }
}

async function whatIs(path: string): Promise<"folder" | "file" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new DataError(`${path} cannot be looked at (${messageOf(error)}): make it readable.`);
  }
}
