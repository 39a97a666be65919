import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join, parse, resolve } from "node:path";
import { DataError } from "../data/data-error.ts";
import { messageOf } from "../message-of.ts";

/** What sharp decodes and cameras, phones and the web deal in. */
const PHOTO = /\.(jpe?g|png|webp|avif|tiff?|gif)$/i;

/** A photo to be labelled and the files that come of it. */
export interface PredictJob {
  readonly photo: string;
  readonly mask: string;
  readonly overlay: string;
  readonly shares: string;
  readonly logits: string;
}

/**
 * The photos at `images` (a file of any name, or a folder: the JPEG, PNG, WebP, AVIF, TIFF and GIF files right in it,
 * hidden ones passed over, in code-unit order), each with its outputs in `out`, which are named by the photo's name
 * without its extension.
 *
 * @throws DataError when there are none; when two have names that differ in nothing but the extension or in upper and lower
 *   case, and so would overwrite each other's outputs; when `out` is the folder of photos, where a second time the masks
 *   would be taken for photos.
 */
export async function predictJobs(images: string, out: string): Promise<PredictJob[]> {
  const photos = await findPhotos(images);
  if (photos.folder && (await real(images)) === (await real(out))) {
    throw new DataError(
      `The masks cannot go to ${out}, where the photos are and they would be taken for photos the next time: give another ` +
        `--out.`,
    );
  }
  const byStem = new Map<string, string>();
  return photos.files.map((photo) => {
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
    };
  });
}

async function findPhotos(images: string): Promise<{ files: string[]; folder: boolean }> {
  try {
    if (!(await stat(images)).isDirectory()) return { files: [images], folder: false };
    const entries = await readdir(images, { withFileTypes: true });
    const names = entries
      .filter(
        (entry) => !entry.isDirectory() && !entry.name.startsWith(".") && PHOTO.test(extname(entry.name)),
      )
      .map(({ name }) => name)
      .sort((a, b) => (a < b ? -1 : 1));
    if (names.length > 0) return { files: names.map((name) => join(images, name)), folder: true };
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
    `${images} holds no photo: put JPEG, PNG, WebP, AVIF, TIFF or GIF files there (subfolders are not searched).`,
  );
}

const real = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));
