import { readdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { messageOf } from "../../message-of.ts";
import type { PhotoAnnotation } from "../annotations/annotation.ts";
import { count, DataError } from "../data-error.ts";

/** Finds files, however their accents are written (NFC or NFD). Folders are listed once. */
export class FileFinder {
  readonly #listed = new Map<string, Promise<ReadonlyMap<string, string>>>();

  /** The path of a file as it is on disk; undefined where there is none. */
  async find(path: string): Promise<string | undefined> {
    const folder = dirname(path);
    let listed = this.#listed.get(folder);
    if (listed === undefined) {
      listed = list(folder);
      this.#listed.set(folder, listed);
    }
    const name = (await listed).get(basename(path).normalize());
    return name === undefined ? undefined : join(folder, name);
  }
}

async function list(folder: string): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map((await readdir(folder)).map((name) => [name.normalize(), name]));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return new Map();
    throw new DataError(`The folder ${folder} cannot be read (${messageOf(error)}): make it readable.`);
  }
}

/**
 * The files of the photos that a labelling tool names: by the path that it gives, or by less and less of its folders, in each
 * of the folders where exports keep photos.
 *
 * @param file the export, for messages
 * @param aliases what a photo may be called besides
 * @throws DataError when some are not there, or two annotations are of the same photo
 */
export async function findPhotos(
  annotations: readonly PhotoAnnotation[],
  folders: readonly string[],
  file: string,
  aliases: (path: string) => readonly string[] = () => [],
): Promise<string[]> {
  const finder = new FileFinder();
  const missing: string[] = [];
  const found: string[] = [];
  for (const { photo } of annotations) {
    const paths = endsOf(photo.replaceAll("\\", "/"));
    const named = isAbsolute(photo) ? await finder.find(photo) : undefined;
    const image = named ?? (await firstOf(finder, folders, [...paths, ...paths.flatMap(aliases)]));
    if (image === undefined) missing.push(photo);
    else found.push(image);
  }
  if (missing.length > 0) {
    const looked = [...new Set(folders)];
    throw new DataError(
      `${count(missing.length, "photo")} of ${annotations.length} that ${file} names ${missing.length === 1 ? "is" : "are"} not ` +
        `there (${missing[0]}, for one; looked in ${looked.join(", ")}): put ${missing.length === 1 ? "it" : "them"} into one of ` +
        `these folders, by the same name.`,
    );
  }
  return found;
}

async function firstOf(
  finder: FileFinder,
  folders: readonly string[],
  paths: readonly string[],
): Promise<string | undefined> {
  for (const path of paths) {
    for (const folder of folders) {
      const found = await finder.find(join(folder, path));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** `a/b/c.png`, `b/c.png`, `c.png` */
function endsOf(path: string): string[] {
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  return steps.map((_, i) => steps.slice(i).join("/"));
}
