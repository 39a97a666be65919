import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { count, DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
import type { FileSet } from "./layouts/layout.ts";
import { recogniseLayout } from "./layouts/recognise.ts";

/** A photo and its mask: two files that share a name. */
export interface Pair {
  /** The photo's file name without its extension and, in the Kaggle edition, without its `img_`. */
  name: string;
  image: string;
  mask: string;
}

/**
 * The pairs in a data set's folder, which has one of the layouts of `layouts/` (extensions in any case; other files
 * are passed over), sorted by the photo's file name in code-unit order.
 * @throws DataError when the folder has none of the layouts, one of its folders is missing or empty, a mask has no
 * photo, a photo no mask (unless the layout has such photos), or two files of one folder share a name.
 */
export async function findPairs(folder: string): Promise<Pair[]> {
  const layout = await recogniseLayout(folder);
  const mend = (files: FileSet): string => `put the ${files.noun}s into ${files.folder}/`;
  const imagesFolder = join(folder, layout.photos.folder);
  const masksFolder = join(folder, layout.masks.folder);
  const images = await list(imagesFolder, layout.photos, mend(layout.photos));
  const masks = await list(masksFolder, layout.masks, mend(layout.masks));
  const { noun, fileOf } = layout.masks;

  const maskless = [...images.keys()].filter((name) => !masks.has(name));
  if (maskless[0] !== undefined && !layout.unlabelledPhotos) {
    const file = join(imagesFolder, images.get(maskless[0])!);
    throw new DataError(
      `${file} has no ${noun} (${count(maskless.length, "photo")} of ${images.size} without one): ` +
        `add ${join(masksFolder, fileOf(maskless[0]))} or remove the photo.`,
    );
  }
  const photoless = [...masks.keys()].filter((name) => !images.has(name));
  if (photoless[0] !== undefined) {
    const file = join(masksFolder, masks.get(photoless[0])!);
    throw new DataError(
      `${file} has no photo (${count(photoless.length, noun)} of ${masks.size} without one): ` +
        `add ${join(imagesFolder, layout.photos.fileOf(photoless[0]))} or remove the ${noun}.`,
    );
  }
  return [...images].flatMap(([name, file]) => {
    const mask = masks.get(name);
    return mask === undefined ? [] : { name, image: join(imagesFolder, file), mask: join(masksFolder, mask) };
  });
}

/** The files of a folder that belong to a set, by name, in the order of their file names. */
async function list(folder: string, files: FileSet, mend: string): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const doubles: string[] = [];
  for (const file of await filesIn(folder, mend)) {
    const name = file.startsWith(".") ? undefined : files.file.exec(file)?.[1];
    if (name === undefined) continue;
    if (names.has(name)) doubles.push(`${names.get(name)} and ${file}`);
    else names.set(name, file);
  }
  if (doubles.length > 0) {
    throw new DataError(
      `${folder} holds ${doubles[0]}, which share a name (${count(doubles.length, "such case")}): keep one of them.`,
    );
  }
  if (names.size === 0) {
    throw new DataError(`${folder} holds no ${files.kinds} file: put at least one there.`);
  }
  return names;
}

async function filesIn(folder: string, mend: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name)
      .sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new DataError(`There is no folder ${folder}: ${mend}.`);
    if (code === "ENOTDIR") throw new DataError(`${folder} is not a folder: ${mend}.`);
    throw new DataError(`The folder ${folder} cannot be read (${messageOf(error)}): make it readable.`);
  }
}
