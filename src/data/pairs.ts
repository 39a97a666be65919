import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { count, DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
import { summary } from "./folder-summary.ts";
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
 * The pairs in a data set's folder, which has one of the layouts of `layouts/` (extensions in any case), sorted by the photo's
 * file name in code-unit order. A letter with an accent may be one character or two, as file systems have it (NFC, NFD).
 * @param onPassedOver is told, in a sentence, what else the folders hold, and of photos that belong to no pair.
 * @throws DataError when the folder has none of the layouts, one of its folders is missing or empty, a mask has no
 * photo, a photo no mask (unless the layout has such photos), or two files of one folder share a name.
 */
export async function findPairs(
  folder: string,
  onPassedOver: (sentence: string) => void = () => {},
): Promise<Pair[]> {
  const layout = await recogniseLayout(folder);
  const mend = (files: FileSet): string => `put the ${files.noun}s into ${files.folder}/`;
  const imagesFolder = join(folder, layout.photos.folder);
  const masksFolder = join(folder, layout.masks.folder);
  const images = await list(imagesFolder, layout.photos, mend(layout.photos), onPassedOver);
  const masks = await list(masksFolder, layout.masks, mend(layout.masks), onPassedOver);
  const { noun, fileOf } = layout.masks;

  const maskless = [...images.keys()].filter((name) => !masks.has(name));
  if (maskless[0] !== undefined && !layout.unlabelledPhotos) {
    const file = join(imagesFolder, images.get(maskless[0])!);
    throw new DataError(
      `${file} has no ${noun} (${count(maskless.length, "photo")} of ${images.size} without one): ` +
        `add ${join(masksFolder, fileOf(maskless[0]))} or remove the photo.`,
    );
  }
  if (maskless[0] !== undefined) {
    onPassedOver(
      `${count(maskless.length, "photo")} of ${images.size} in ${imagesFolder} (${images.get(maskless[0])!}, for one) ` +
        `${maskless.length === 1 ? "has" : "have"} no ${noun}: passed over.`,
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
async function list(
  folder: string,
  files: FileSet,
  mend: string,
  onPassedOver: (sentence: string) => void,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const doubles: string[] = [];
  const others: Dirent[] = [];
  for (const entry of await entriesOf(folder, mend)) {
    const file = entry.name;
    const name = entry.isDirectory() ? undefined : files.file.exec(file.normalize())?.[1];
    if (name === undefined) others.push(entry);
    else if (names.has(name)) doubles.push(`${names.get(name)} and ${file}`);
    else names.set(name, file);
  }
  if (doubles.length > 0) {
    throw new DataError(
      `${folder} holds ${doubles[0]}, which share a name (${count(doubles.length, "such case")}): keep one of them.`,
    );
  }
  if (names.size === 0) {
    const held = others.length === 0 ? "" : ` (but ${summary(others)})`;
    throw new DataError(`${folder} holds no ${files.kinds} file${held}: put at least one there.`);
  }
  if (others.length > 0) {
    onPassedOver(`${folder} holds ${summary(others)} besides ${files.kinds} files: passed over.`);
  }
  return names;
}

/** What lies in a folder, hidden files aside, in the order of the names as one has them written (NFC). */
async function entriesOf(folder: string, mend: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !name.startsWith("."))
      .sort((a, b) => (a.name.normalize() < b.name.normalize() ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new DataError(`There is no folder ${folder}: ${mend}.`);
    if (code === "ENOTDIR") throw new DataError(`${folder} is not a folder: ${mend}.`);
    throw new DataError(`The folder ${folder} cannot be read (${messageOf(error)}): make it readable.`);
  }
}
