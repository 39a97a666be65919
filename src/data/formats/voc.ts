import { basename } from "node:path";
import { DataError } from "../data-error.ts";
import { PICTURE_KINDS, pictureFile } from "../picture-files.ts";
import { pairFiles } from "./file-pairs.ts";
import type { Format } from "./format.ts";
import type { Place } from "./place.ts";
import { readVocClasses } from "./voc-classes.ts";
import { partsByVocLists } from "./voc-lists.ts";

const PHOTOS = "JPEGImages";
const MASKS = "SegmentationClass";
/** Where older versions of labelme2voc put the pictures; `SegmentationClass` has matrices of NumPy then. */
const OLD_MASKS = "SegmentationClassPNG";

/** Folders of a folder that are looked into. */
const MOST_FOLDERS = 50;

/**
 * `JPEGImages/`, `SegmentationClass/` and lists in `ImageSets/Segmentation/`: Pascal VOC (Everingham et al., IJCV 2010), and what
 * CVAT, Datumaro and labelme2voc export by its name. The folder may lie in the one that is given, as in
 * `VOCdevkit/VOC2012`.
 */
export const voc: Format = {
  name: "voc",
  title: "Pascal VOC",
  description: "JPEGImages/ and SegmentationClass/",
  recognise: async (place) => (await rootsOf(place)).length > 0,
  read: async (place, say) => {
    const [root, ...others] = await rootsOf(place);
    if (root === undefined) {
      throw new DataError(
        `${place.path} holds no folder ${MASKS}: give the folder that holds ${PHOTOS}/ and ${MASKS}/.`,
      );
    }
    if (others.length > 0) {
      const names = [root, ...others].map((below) => place.file(below));
      throw new DataError(
        `${place.path} holds ${names.length} data sets (${names.join(", ")}): give one of them.`,
      );
    }
    const within = (path: string): string => (root === "" ? path : `${root}/${path}`);
    const masks = (await holdsPictures(place, within(MASKS))) ? MASKS : OLD_MASKS;
    if (!(await holdsPictures(place, within(masks)))) {
      throw new DataError(
        `${place.file(within(MASKS))} holds no ${PICTURE_KINDS} file: put a mask a photo there.`,
      );
    }
    const pairs = await pairFiles(
      place,
      {
        photos: {
          noun: "photo",
          folder: within(PHOTOS),
          kinds: PICTURE_KINDS,
          file: pictureFile(),
          fileOf: (name) => `${name}.jpg`,
        },
        masks: {
          noun: "mask",
          folder: within(masks),
          kinds: PICTURE_KINDS,
          file: pictureFile(),
          fileOf: (name) => `${name}.png`,
        },
        unlabelledPhotos: true,
      },
      say,
    );
    return {
      pairs: await partsByVocLists(place, within("ImageSets/Segmentation"), pairs, say),
      declared: await readVocClasses(place, root),
    };
  },
};

/** Where data sets of this format lie: the place itself, or folders up to two below it. */
async function rootsOf(place: Place, below = "", depth = 2): Promise<string[]> {
  const entries = ((await place.entries(below)) ?? []).filter((entry) => !entry.isFile());
  const names = entries.map(({ name }) => name);
  if (names.includes(MASKS) && (names.includes(PHOTOS) || names.includes("ImageSets"))) return [below];
  if (depth === 0 || names.length > MOST_FOLDERS) return [];
  const found = await Promise.all(
    names.map((name) => rootsOf(place, below === "" ? name : `${below}/${name}`, depth - 1)),
  );
  return found.flat();
}

async function holdsPictures(place: Place, folder: string): Promise<boolean> {
  return (await place.files(folder)).some((file) => pictureFile().test(basename(file)));
}
