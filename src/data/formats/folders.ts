import type { Dirent } from "node:fs";
import { readDeclared } from "../classes/read-declared.ts";
import { DataError } from "../data-error.ts";
import { PICTURE_KINDS, pictureFile } from "../picture-files.ts";
import { pairFiles } from "./file-pairs.ts";
import type { PairOptions } from "./file-pairs.ts";
import type { Format, Pair, Part } from "./format.ts";
import { partNamed, partsByLists } from "./parts.ts";
import type { Place } from "./place.ts";

/** Folders of photos and of masks by the names that people give them, the usual one first. */
const PHOTO_FOLDERS = ["images", "image", "imgs", "img", "photos", "jpegimages"];
const MASK_FOLDERS = [
  ...["masks", "mask", "labels", "label", "annotations", "annotation", "gt", "groundtruth", "ground_truth"],
  ...["segmentation", "segmentations", "seg", "targets"],
];
/** What a mask's name may have behind its photo's. */
const SUFFIXES = ["mask", "masks", "label", "labels", "gt", "seg", "segmentation", "annotation", "l"].flatMap(
  (word) => ["_", "-", "."].map((dash) => dash + word),
);
/** `train_masks` and `trainannot` beside `train`. */
const BESIDE = /^(.+?)[_-]?(?:masks?|labels?|annot(?:ation)?s?|gt)$/i;

/** Photos and masks that belong together by their names: in two folders, or in one. */
interface Group {
  readonly photos: string;
  readonly masks: string;
  readonly part?: Part;
}

/**
 * Folders of photos and masks: `images/` and `masks/` (or other usual names), each maybe with folders inside; these two in
 * each of `train/`, `val/`, `test/`; `train/` beside `train_masks/`; or masks beside the photos with a `_mask` in their names.
 * Masks may have such an ending in any of them. Where folders or lists say which photos are for training, that split is used.
 */
export const folders: Format = {
  name: "folders",
  title: "folders of photos and masks",
  description: "images/ and masks/",
  recognise: async (place) => {
    const groups = await groupsOf(place);
    for (const { masks } of groups) if (await holdsPictures(place, masks)) return true;
    return false;
  },
  read: async (place, say) => {
    const groups = await groupsOf(place);
    if (groups.length === 0) throw await misses(place);
    const pairs: Pair[] = [];
    for (const group of groups) {
      const within = groups.length > 1 ? `${group.photos.split("/")[0]}/` : "";
      for (const pair of await pairFiles(place, optionsOf(group), say)) {
        pairs.push({ ...pair, name: within + pair.name, ...(group.part && { part: group.part }) });
      }
    }
    return { pairs: await partsByLists(place, pairs, say), declared: await readDeclared(place) };
  },
};

function optionsOf({ photos, masks, part }: Group): PairOptions {
  const shared = photos === masks;
  const ending = SUFFIXES.map((suffix) => suffix.replace(".", "\\.")).join("|");
  const mask = new RegExp(`^(.+)(?:${ending})\\.(?:jpe?g|png|webp|avif|tiff?|gif|mat)$`, "i");
  return {
    photos: {
      noun: "photo",
      folder: photos,
      kinds: PICTURE_KINDS,
      file: shared
        ? new RegExp(`^(?!.+(?:${ending})\\.)(.+)\\.(?:jpe?g|png|webp|avif|tiff?|gif)$`, "i")
        : pictureFile(),
      ...(shared && { besides: mask }),
      fileOf: (name) => `${name}.jpg`,
    },
    masks: {
      noun: "mask",
      folder: masks,
      kinds: shared ? "*_mask" : "PNG",
      file: shared ? mask : /^(.+)\.(?:jpe?g|png|webp|avif|tiff?|gif|mat)$/i,
      ...(shared && { besides: pictureFile() }),
      fileOf: (name) => (shared ? `${name}_mask.png` : `${name}.png`),
    },
    suffixes: shared ? [] : SUFFIXES,
    unlabelledPhotos: part === "test",
  };
}

/** The groups of the first of the ways in which they may lie there. */
async function groupsOf(place: Place): Promise<Group[]> {
  const entries = (await place.entries()) ?? [];
  const here = await pairOfFolders(place, "");
  if (here !== undefined) return [here];
  const parts = await foldersOf(place, entries);
  const inParts: Group[] = [];
  for (const folder of parts) {
    const part = partNamed(folder);
    const group = part && ((await pairOfFolders(place, folder)) ?? (await oneFolder(place, folder)));
    if (group) inParts.push({ ...group, part });
  }
  if (inParts.length > 0) return inParts;
  const beside = parts.flatMap((folder): Group[] => {
    const photos = BESIDE.exec(folder)?.[1];
    const found = photos && parts.find((name) => name.toLowerCase() === photos.toLowerCase());
    const part = found && partNamed(found);
    return found ? [{ photos: found, masks: folder, ...(part && { part }) }] : [];
  });
  if (beside.length > 0) return beside;
  const one = await oneFolder(place, "");
  return one === undefined ? [] : [one];
}

/** A folder of photos and one of masks. */
async function pairOfFolders(place: Place, below: string): Promise<Group | undefined> {
  const names = await foldersOf(place, (await place.entries(below)) ?? [], below);
  const named = (known: readonly string[]): string[] =>
    known.flatMap((name) => names.filter((folder) => folder.toLowerCase() === name));
  const [photos] = named(PHOTO_FOLDERS);
  const masks = named(MASK_FOLDERS);
  if (photos === undefined || masks.length === 0) return undefined;
  const path = (name: string): string => (below === "" ? name : `${below}/${name}`);
  for (const folder of masks) {
    if (await holdsPictures(place, path(folder))) return { photos: path(photos), masks: path(folder) };
  }
  return { photos: path(photos), masks: path(masks[0]) };
}

/** A folder that holds masks beside the photos. */
async function oneFolder(place: Place, folder: string): Promise<Group | undefined> {
  const { file } = optionsOf({ photos: folder, masks: folder }).masks;
  const entries = (await place.entries(folder)) ?? [];
  return entries.some((entry) => !entry.isDirectory() && file.test(entry.name))
    ? { photos: folder, masks: folder }
    : undefined;
}

async function foldersOf(place: Place, entries: readonly Dirent[], below = ""): Promise<string[]> {
  const names: string[] = [];
  for (const entry of entries) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await place.has(path)) === "folder"))
      names.push(entry.name);
  }
  return names;
}

async function holdsPictures(place: Place, folder: string): Promise<boolean> {
  return (await place.files(folder)).some((file) => pictureFile().test(file) || file.endsWith(".mat"));
}

/** Why there is nothing: one of the two folders is missing. */
async function misses(place: Place): Promise<DataError> {
  const names = await foldersOf(place, (await place.entries()) ?? []);
  const has = (known: readonly string[]): boolean => names.some((name) => known.includes(name.toLowerCase()));
  const [missing, noun] = has(PHOTO_FOLDERS) ? ["masks", "masks"] : ["images", "photos"];
  return new DataError(`There is no folder ${place.file(missing)}: put the ${noun} into ${missing}/.`);
}

/** Whether one of the two folders is there: then the other is what is missing. */
export async function isHalf(place: Place): Promise<boolean> {
  const names = await foldersOf(place, (await place.entries()) ?? []);
  return names.some((name) => ["images", "masks"].includes(name.toLowerCase()));
}
