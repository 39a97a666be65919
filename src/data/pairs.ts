import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { count, DataError, messageOf } from "./data-error.ts";

/** A photo and its mask: two files of the same name but for the extension. */
export interface Pair {
  /** The file name without its extension. */
  name: string;
  image: string;
  mask: string;
}

/**
 * The pairs `folder/images/NAME.{png,jpg,jpeg}` + `folder/masks/NAME.{png,jpg,jpeg}` (any case of the
 * extension; other files are passed over), sorted by the photo's file name in code-unit order.
 * @throws DataError when a folder is missing or empty, a photo has no mask, a mask no photo, or two files of
 * one folder share a name.
 */
export async function findPairs(folder: string): Promise<Pair[]> {
  await list(folder, `give a folder that holds images/ and masks/`);
  const imagesFolder = join(folder, "images");
  const masksFolder = join(folder, "masks");
  const mend = `put the photos into images/ and their masks into masks/`;
  const images = byName(imagesFolder, await list(imagesFolder, mend));
  const masks = byName(masksFolder, await list(masksFolder, mend));

  const maskless = [...images.keys()].filter((name) => !masks.has(name));
  if (maskless[0] !== undefined) {
    const file = join(imagesFolder, images.get(maskless[0])!);
    throw new DataError(
      `${file} has no mask (${count(maskless.length, "photo")} of ${images.size} without one): ` +
        `add ${join(masksFolder, `${maskless[0]}.png`)} or remove the photo.`,
    );
  }
  const photoless = [...masks.keys()].filter((name) => !images.has(name));
  if (photoless[0] !== undefined) {
    const file = join(masksFolder, masks.get(photoless[0])!);
    throw new DataError(
      `${file} has no photo (${count(photoless.length, "mask")} of ${masks.size} without one): ` +
        `add ${join(imagesFolder, `${photoless[0]}.jpg`)} or remove the mask.`,
    );
  }
  return [...images].map(([name, file]) => ({
    name,
    image: join(imagesFolder, file),
    mask: join(masksFolder, masks.get(name)!),
  }));
}

/** The picture files of a folder, sorted. */
async function list(folder: string, mend: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
      .map((entry) => entry.name)
      .filter((name) => /\.(png|jpe?g)$/i.test(name))
      .sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new DataError(`There is no folder ${folder}: ${mend}.`);
    if (code === "ENOTDIR") throw new DataError(`${folder} is not a folder: ${mend}.`);
    throw new DataError(`The folder ${folder} cannot be read (${messageOf(error)}): make it readable.`);
  }
}

function byName(folder: string, files: string[]): Map<string, string> {
  if (files.length === 0) {
    throw new DataError(`${folder} holds no PNG or JPEG file: put at least one there.`);
  }
  const names = new Map<string, string>();
  const doubles: string[] = [];
  for (const file of files) {
    const name = file.slice(0, -extname(file).length);
    if (names.has(name)) doubles.push(`${names.get(name)} and ${file}`);
    else names.set(name, file);
  }
  if (doubles.length > 0) {
    throw new DataError(
      `${folder} holds ${doubles[0]}, which share a name (${count(doubles.length, "such case")}): keep one of them.`,
    );
  }
  return names;
}
