import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DataError } from "../data/data-error.ts";
import { summary } from "../data/folder-summary.ts";
import { PICTURE_KINDS, pictureFile } from "../data/picture-files.ts";
import { messageOf } from "../message-of.ts";
import { outputNames } from "./output-sink.ts";
import { photoFile } from "./photo-to-label.ts";
import type { PhotoToLabel } from "./photo-to-label.ts";

const PHOTO = pictureFile();

/** What there is to be labelled. */
export interface PhotosToLabel {
  readonly photos: readonly PhotoToLabel[];
  /** What else is in the folder of photos, in a few words; null where there is nothing else. */
  readonly passedOver: string | null;
}

/**
 * The photos at `images` (a file of any name, or a folder: the JPEG, PNG, WebP, AVIF, TIFF and GIF files right in it,
 * in code-unit order; hidden files are passed over in silence), whose outputs go to the folder `out`.
 *
 * @throws DataError when there are none; when two have names that differ in nothing but the extension or in upper and lower
 *   case, and so would overwrite each other's outputs; when a photo is a link to an output; when `out` is the folder of
 *   photos, where a second time the masks would be taken for photos.
 */
export async function photosToLabel(images: string, out: string): Promise<PhotosToLabel> {
  const found = await findPhotos(images);
  if (found.folder && (await real(images)) === (await real(out))) {
    throw new DataError(
      `The masks cannot go to ${out}, where the photos are and they would be taken for photos the next time: give another ` +
        `--out.`,
    );
  }
  const byStem = new Map<string, string>();
  const photos = found.files.map(photoFile);
  for (const { photo, stem } of photos) {
    const key = stem.normalize().toLowerCase();
    const other = byStem.get(key);
    if (other !== undefined) {
      throw new DataError(
        `${other} and ${photo} would both be written to ${join(out, outputNames(stem).mask)}: rename one of them, or predict ` +
          `them into different folders.`,
      );
    }
    byStem.set(key, photo);
  }
  await checkInputsStay(photos, out);
  return { photos, passedOver: found.passedOver };
}

/** A link among the photos may lead to where an output goes. */
async function checkInputsStay(photos: readonly PhotoToLabel[], out: string): Promise<void> {
  const folder = await real(out);
  const places = new Map<string, string>();
  for (const { photo } of photos) places.set(await real(photo), photo);
  for (const { stem } of photos) {
    for (const name of Object.values(outputNames(stem)) as string[]) {
      const photo = places.get(join(folder, name));
      if (photo === undefined) continue;
      throw new DataError(
        `${photo} leads to ${join(out, name)}, which would be overwritten: give another --out.`,
      );
    }
  }
}

interface FoundPhotos {
  readonly files: string[];
  /** Whether they are those of a folder. */
  readonly folder: boolean;
  readonly passedOver: string | null;
}

async function findPhotos(images: string): Promise<FoundPhotos> {
  let passedOver: string | null;
  try {
    const info = await stat(images);
    if (!info.isDirectory()) {
      // Reading a pipe would wait for its writer.
      if (!info.isFile()) throw new Error("not a file or a folder");
      return { files: [images], folder: false, passedOver: null };
    }
    const entries = await readdir(images, { withFileTypes: true });
    const names: string[] = [];
    const others: Dirent[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const isPhoto = PHOTO.test(entry.name) && (await mayBeRead(entry, images));
      if (isPhoto) names.push(entry.name);
      else others.push(entry);
    }
    passedOver = summary(others);
    names.sort((a, b) => (a < b ? -1 : 1));
    if (names.length > 0) return { files: names.map((name) => join(images, name)), folder: true, passedOver };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      throw new DataError(
        `There is no photo or folder ${images}: give --images a photo or a folder of photos.`,
      );
    }
    throw new DataError(`The photos ${images} cannot be read (${messageOf(error)}): make them readable.`);
  }
  throw new DataError(
    `${images} holds no photo${passedOver === null ? "" : ` (but ${passedOver})`}: put ${PICTURE_KINDS} files there ` +
      "(subfolders are not searched).",
  );
}

/** Whether it is a file, or a link to one; a link that leads nowhere is told of when it is read. */
async function mayBeRead(entry: Dirent, folder: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const info = await stat(join(folder, entry.name)).catch(() => null);
  return info === null || info.isFile();
}

const real = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));
