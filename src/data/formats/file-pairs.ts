import { join } from "node:path";
import { basename, dirname } from "node:path/posix";
import { count, DataError } from "../data-error.ts";
import { summary } from "../folder-summary.ts";
import type { Pair } from "./format.ts";
import { partOfPath } from "./parts.ts";
import type { Place } from "./place.ts";

/** The photos, or the masks, of a data set that keeps them in two folders. */
export interface FileSet {
  /** What one is called: `photo`, `mask`, `annotation`. */
  readonly noun: string;
  /** Path of the folder that holds them and maybe folders of them, below the data set's, with `/`. */
  readonly folder: string;
  /** Kinds of files, for sentences: `PNG`. */
  readonly kinds: string;
  /** Matches the names of the files that count; group 1 is the name that a photo shares with its mask. */
  readonly file: RegExp;
  /** Files that the folder may hold besides without a word. */
  readonly besides?: RegExp;
  /** What the file of a given name would be called. */
  readonly fileOf: (name: string) => string;
}

export interface PairOptions {
  readonly photos: FileSet;
  readonly masks: FileSet;
  /** Whether photos without a mask belong to the data set and are passed over; otherwise they are a mistake. */
  readonly unlabelledPhotos?: boolean;
  /** Endings that masks' names may have behind the photo's: `_mask`. */
  readonly suffixes?: readonly string[];
}

/**
 * Pairs of photos and masks in two folders and the folders in them (extensions in any case), sorted by the photo's path in
 * code-unit order. A letter with an accent may be one character or two, as file systems have it (NFC, NFD).
 *
 * @param say is told, in a sentence, what else the folders hold, and of photos that belong to no pair
 * @throws DataError when a folder is missing or empty, a mask has no photo, a photo no mask (unless the data set has such
 *   photos), or two files of one folder share a name
 */
export async function pairFiles(
  place: Place,
  { photos, masks, unlabelledPhotos = false, suffixes = [] }: PairOptions,
  say: (sentence: string) => void,
): Promise<Pair[]> {
  const images = await listed(place, photos, say);
  const found = await listed(place, masks, say);
  const maskOf = matched(place, images, found, { photos, masks, suffixes });
  const inTest = (name: string): boolean => partOfPath(name) === "test";

  const maskless = [...images.keys()].filter((name) => !maskOf.has(name));
  const wrong = maskless.filter((name) => !unlabelledPhotos && !inTest(name));
  if (wrong.length > 0) {
    const file = place.file(join(photos.folder, images.get(wrong[0])!));
    throw new DataError(
      `${file} has no ${masks.noun} (${count(wrong.length, "photo")} of ${images.size} without one): ` +
        `add ${place.file(join(masks.folder, dirname(wrong[0]), masks.fileOf(basename(wrong[0]))))} or remove the photo.`,
    );
  }
  if (maskless.length > 0) {
    say(
      `${count(maskless.length, "photo")} of ${images.size} in ${place.file(photos.folder)} (${images.get(maskless[0])!}, for one) ` +
        `${maskless.length === 1 ? "has" : "have"} no ${masks.noun}: passed over.`,
    );
  }
  return [...images].flatMap(([name, file]): Pair[] => {
    const mask = maskOf.get(name);
    if (mask === undefined) return [];
    const part = partOfPath(name);
    return [
      {
        name,
        image: place.file(join(photos.folder, file)),
        mask: place.file(join(masks.folder, mask)),
        ...(part && { part }),
      },
    ];
  });
}

/** Each photo's mask, by the photo's name. */
function matched(
  place: Place,
  images: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
  { photos, masks, suffixes }: Required<Omit<PairOptions, "unlabelledPhotos">>,
): Map<string, string> {
  const maskOf = new Map<string, string>();
  const photoless: string[] = [];
  for (const [name, file] of found) {
    const stripped = suffixes
      .filter((suffix) => name.toLowerCase().endsWith(suffix))
      .map((suffix) => name.slice(0, -suffix.length));
    const photo = [name, ...stripped].find((candidate) => images.has(candidate));
    if (photo === undefined) photoless.push(name);
    else if (maskOf.has(photo)) {
      throw new DataError(
        `${place.file(masks.folder)} holds ${maskOf.get(photo)} and ${file}, both for ${images.get(photo)}: keep one of them.`,
      );
    } else maskOf.set(photo, file);
  }
  if (photoless.length > 0) {
    const file = place.file(join(masks.folder, found.get(photoless[0])!));
    throw new DataError(
      `${file} has no photo (${count(photoless.length, masks.noun)} of ${found.size} without one): add ` +
        `${place.file(join(photos.folder, dirname(photoless[0]), photos.fileOf(basename(photoless[0]))))} or remove the ${masks.noun}.`,
    );
  }
  return maskOf;
}

/** The files of a folder that belong to a set, by name, in the order of their paths. */
async function listed(
  place: Place,
  files: FileSet,
  say: (sentence: string) => void,
): Promise<Map<string, string>> {
  const folder = place.file(files.folder);
  const kind = await place.has(files.folder);
  if (kind !== "folder") {
    const mend = `put the ${files.noun}s into ${files.folder}/`;
    throw new DataError(
      kind === undefined ? `There is no folder ${folder}: ${mend}.` : `${folder} is not a folder: ${mend}.`,
    );
  }
  const names = new Map<string, string>();
  const doubles: string[] = [];
  const others: string[] = [];
  for (const path of await place.files(files.folder)) {
    const name = files.file.exec(basename(path).normalize())?.[1];
    const key = name === undefined ? undefined : join(dirname(path).normalize(), name).replaceAll("\\", "/");
    if (key === undefined) {
      if (!files.besides?.test(basename(path))) others.push(path);
    } else if (names.has(key)) doubles.push(`${names.get(key)} and ${path}`);
    else names.set(key, path);
  }
  if (doubles.length > 0) {
    throw new DataError(
      `${folder} holds ${doubles[0]}, which share a name (${count(doubles.length, "such case")}): keep one of them.`,
    );
  }
  const kinds = summary(others.map((name) => ({ name, isDirectory: () => false })));
  if (names.size === 0) {
    const held = kinds === null ? "" : ` (but ${kinds})`;
    throw new DataError(`${folder} holds no ${files.kinds} file${held}: put at least one there.`);
  }
  if (kinds !== null) say(`${folder} holds ${kinds} besides ${files.kinds} files: passed over.`);
  return names;
}
