import { basename, dirname, isAbsolute, join } from "node:path";
import { readForeignText } from "../annotations/foreign.ts";
import { count, DataError } from "../data-error.ts";
import { PICTURE_KINDS, pictureFile } from "../picture-files.ts";
import { FileFinder } from "./find-photos.ts";
import type { Part } from "./format.ts";
import { Place } from "./place.ts";
import type { YoloFile } from "./yolo-file.ts";

export interface YoloPhoto {
  readonly image: string;
  readonly part?: Part;
}

/** The file that belongs to a photo, by Ultralytics's rule: the last folder `images` of its path becomes another. */
export const besideImages = (image: string, folder: string, ending: string): string =>
  image.replace(/^(.*[\\/])images(?=[\\/])/s, `$1${folder}`).replace(/\.[^.\\/]+$/, ending);

/**
 * The photos of a `data.yaml`. One of several parts is in the first of them, and counted; where that leaves a single part, it is
 * none.
 *
 * @throws DataError for a folder, a list or a photo of a list that is not there
 */
export async function yoloPhotos(
  { root, file, parts }: YoloFile,
  say: (sentence: string) => void,
): Promise<YoloPhoto[]> {
  const partOf = new Map<string, Part>();
  const again = new Map<Part, number>();
  let others = 0;
  for (const { part, entries } of parts) {
    for (const entry of entries) {
      const { photos, passedOver } = await photosOf(entry, root, `${file}, ${part},`, part !== "test");
      others += passedOver;
      for (const image of photos) {
        if (!partOf.has(image)) partOf.set(image, part);
        else if (partOf.get(image) !== part) again.set(part, (again.get(part) ?? 0) + 1);
      }
    }
  }
  for (const [part, photos] of again) {
    say(
      `${count(photos, "photo")} of "${part}" ${photos === 1 ? "is" : "are"} in a part before it too, and left out of "${part}".`,
    );
  }
  if (others > 0) say(`${count(others, "file")} besides ${PICTURE_KINDS} files: passed over.`);
  if (partOf.size === 0)
    throw new DataError(`${file} names no photo (${PICTURE_KINDS}): put some where it says.`);
  const split = new Set(partOf.values()).size > 1;
  return [...partOf].map(([image, part]) => ({ image, ...(split && { part }) }));
}

async function photosOf(
  entry: string,
  root: string,
  where: string,
  needed: boolean,
): Promise<{ photos: readonly string[]; passedOver: number }> {
  const nothing = { photos: [], passedOver: 0 };
  const path = isAbsolute(entry) ? entry : join(root, entry);
  // Roboflow writes `../train/images` for a folder that lies beside the file.
  const place = (await Place.at(path)) ?? (await Place.at(join(root, entry.replace(/^(?:\.\.\/)+/, ""))));
  if (place === undefined) {
    // A test part is often named and not delivered.
    if (!needed) return nothing;
    throw new DataError(
      `${where} names ${entry}, and there is no ${path}: put the photos there, or mend the path.`,
    );
  }
  if (!place.isFolder) return { photos: await listed(place.path, root), passedOver: 0 };
  const files = await place.files();
  const photos = files.filter((name) => pictureFile().test(basename(name)));
  return { photos: photos.map((name) => place.file(name)), passedOver: files.filter(isForeign).length };
}

/** Whether a file is none of those that lie among photos as a matter of course. */
const isForeign = (name: string): boolean =>
  !pictureFile().test(basename(name)) && !/\.(?:txt|cache|json)$/i.test(name);

/** The photos of a list, a path a line, relative to the list or to the data set. */
async function listed(list: string, root: string): Promise<string[]> {
  const finder = new FileFinder();
  const found: string[] = [];
  const lines = (await readForeignText(list)).split(/\r\n?|\n/);
  for (const [i, line] of lines.entries()) {
    const path = line.trim();
    if (path === "") continue;
    // CVAT writes its lists for a folder `data`.
    const candidates = isAbsolute(path)
      ? [path]
      : [dirname(list), root].flatMap((folder) => [
          join(folder, path),
          join(folder, path.replace(/^data\//, "")),
        ]);
    let photo: string | undefined;
    for (const candidate of candidates) photo ??= await finder.find(candidate);
    if (photo === undefined) {
      throw new DataError(
        `${list}, line ${i + 1}, names ${path}, and there is no ${candidates[0]}: add the photo or remove the line.`,
      );
    }
    found.push(photo);
  }
  return found;
}
