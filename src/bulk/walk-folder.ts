import { createHash } from "node:crypto";
import { open, readdir, rename, stat } from "node:fs/promises";
import type { Dirent } from "node:fs";
import { join } from "node:path";
import { count } from "../data/data-error.ts";
import { PICTURE_KINDS, pictureFile } from "../data/picture-files.ts";
import { syncFolder } from "../files/atomic-write.ts";
import { printable } from "../files/printable.ts";
import { withTemporary } from "../files/temporary.ts";
import { fileError } from "../files/transfer.ts";
import { BulkError } from "./bulk-error.ts";

const PHOTO = pictureFile();
const LINE_BREAKS = /[\r\n]/g;
/** Bytes that are kept before they are written. */
const BLOCK = 2 ** 16;

/** What is in a folder. */
export interface FolderList {
  /** The list of its photos, one a line, as paths in the folder. */
  readonly list: string;
  readonly photos: number;
  /** Files of other kinds. */
  readonly passedOver: number;
}

/**
 * Writes a list of the photos in a folder and its subfolders to `out`, under a name by its content: folder by folder in code-unit
 * order, so it is the same wherever it is made. Hidden files and folders are passed over in silence, and so is `out`. Links to files are
 * followed, links to folders are not, since they may lead around.
 *
 * @throws BulkError when there are none, or a name has a line break in it; FileError.
 */
export async function listFolder(folder: string, out: string, signal?: AbortSignal): Promise<FolderList> {
  const own = await stat(out);
  let [photos, passedOver] = [0, 0];
  return withTemporary(join(out, "photos.txt"), async (temporary) => {
    const hash = createHash("sha256");
    const file = await open(temporary, "wx");
    try {
      let block = "";
      const write = async (): Promise<void> => {
        const bytes = Buffer.from(block);
        hash.update(bytes);
        await file.writeFile(bytes);
        block = "";
      };
      for await (const found of walk(folder, "", own)) {
        signal?.throwIfAborted();
        if (found === null) {
          passedOver += 1;
          continue;
        }
        photos += 1;
        // Whatever the name begins with, it is a path.
        block += `./${found}\n`;
        if (block.length > BLOCK) await write();
      }
      await write();
      await file.sync();
    } catch (error) {
      throw fileError(error, "write", out);
    } finally {
      await file.close();
    }
    if (photos === 0) {
      const others = passedOver === 0 ? "" : ` (but ${count(passedOver, "other file")})`;
      throw new BulkError(
        `${folder} and its subfolders hold no photo${others}: put ${PICTURE_KINDS} files there.`,
      );
    }
    const list = join(out, `photos-${hash.digest("hex").slice(0, 16)}.txt`);
    await rename(temporary, list);
    await syncFolder(out);
    return { list, photos, passedOver };
  });
}

/** Paths of photos in the folder; null for a file of another kind. */
async function* walk(
  root: string,
  within: string,
  own: { readonly dev: number; readonly ino: number },
): AsyncGenerator<string | null> {
  const folder = join(root, within);
  let entries: Dirent[];
  try {
    const info = await stat(folder);
    if (info.dev === own.dev && info.ino === own.ino && within !== "") return;
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(error, "read", folder);
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = within === "" ? entry.name : `${within}/${entry.name}`;
    // A dot matches no line break.
    const isPhoto = PHOTO.test(entry.name.replace(LINE_BREAKS, "?"));
    if (entry.isDirectory()) yield* walk(root, path, own);
    else if (!isPhoto || !(await isFile(entry, folder))) yield null;
    else if (path.search(LINE_BREAKS) >= 0) {
      throw new BulkError(
        `${printable(join(folder, entry.name), 1000)} has a line break in its path, which a list cannot hold: rename it.`,
      );
    } else yield path;
  }
}

/** Whether it is a file, or a link to one; a link that leads nowhere is told of when it is read. */
async function isFile(entry: Dirent, folder: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const info = await stat(join(folder, entry.name)).catch(() => null);
  return info === null || info.isFile();
}
