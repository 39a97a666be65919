import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, parse, resolve } from "node:path";
import { DataError } from "../data/data-error.ts";
import { summary } from "../data/folder-summary.ts";
import { PICTURE_KINDS, pictureFile } from "../data/picture-files.ts";
import { messageOf } from "../message-of.ts";

const PHOTO = pictureFile();

/** A photo to be labelled and the files that come of it. */
export interface PredictJob {
  readonly photo: string;
  readonly mask: string;
  readonly overlay: string;
  readonly shares: string;
  readonly logits: string;
  readonly geoJson: string;
}

/** What there is to be labelled. */
export interface PredictJobs {
  readonly jobs: PredictJob[];
  /** What else is in the folder of photos, in a few words; null where there is nothing else. */
  readonly passedOver: string | null;
}

/**
 * The photos at `images` (a file of any name, or a folder: the JPEG, PNG, WebP, AVIF, TIFF and GIF files right in it,
 * in code-unit order; hidden files are passed over in silence), each with its outputs in `out`, which are named by the
 * photo's name without its extension.
 *
 * @throws DataError when there are none; when two have names that differ in nothing but the extension or in upper and lower
 *   case, and so would overwrite each other's outputs; when a photo is a link to an output; when `out` is the folder of
 *   photos, where a second time the masks would be taken for photos.
 */
export async function predictJobs(images: string, out: string): Promise<PredictJobs> {
  const photos = await findPhotos(images);
  if (photos.folder && (await real(images)) === (await real(out))) {
    throw new DataError(
      `The masks cannot go to ${out}, where the photos are and they would be taken for photos the next time: give another ` +
        `--out.`,
    );
  }
  const byStem = new Map<string, string>();
  const jobs = photos.files.map((photo) => {
    const { name } = parse(photo);
    const key = name.normalize().toLowerCase();
    const other = byStem.get(key);
    if (other !== undefined) {
      throw new DataError(
        `${other} and ${photo} would both be written to ${join(out, `${name}.mask.png`)}: rename one of them, or predict ` +
          `them into different folders.`,
      );
    }
    byStem.set(key, photo);
    const output = (ending: string): string => join(out, `${name}.${ending}`);
    return {
      photo,
      mask: output("mask.png"),
      overlay: output("overlay.png"),
      shares: output("json"),
      logits: output("logits.safetensors"),
      geoJson: output("geojson"),
    };
  });
  await checkInputsStay(jobs, out);
  return { jobs, passedOver: photos.passedOver };
}

/** A link among the photos may lead to where an output goes. */
async function checkInputsStay(jobs: readonly PredictJob[], out: string): Promise<void> {
  const folder = await real(out);
  const photos = new Map<string, string>();
  for (const { photo } of jobs) photos.set(await real(photo), photo);
  for (const { mask, overlay, shares, logits, geoJson } of jobs) {
    for (const output of [mask, overlay, shares, logits, geoJson]) {
      const photo = photos.get(join(folder, basename(output)));
      if (photo === undefined) continue;
      throw new DataError(`${photo} leads to ${output}, which would be overwritten: give another --out.`);
    }
  }
}

interface Photos {
  readonly files: string[];
  /** Whether they are those of a folder. */
  readonly folder: boolean;
  readonly passedOver: string | null;
}

async function findPhotos(images: string): Promise<Photos> {
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
