import { readDeclared } from "../classes/read-declared.ts";
import { pictureFile } from "../picture-files.ts";
import { pairFiles } from "./file-pairs.ts";
import type { Format } from "./format.ts";

const PHOTOS = "png_images/IMAGES";
const MASKS = "png_masks/MASKS";

/**
 * `png_images/IMAGES/img_NNNN.png` + `png_masks/MASKS/seg_NNNN.png`: the Kaggle edition of Clothing Co-Parsing
 * (`rajkumarl/people-clothing-segmentation`), which holds the first 1,000 pairs.
 */
export const kaggle: Format = {
  name: "clothing-kaggle",
  title: "the Kaggle edition of Clothing Co-Parsing",
  description: "png_images/IMAGES/ and png_masks/MASKS/ (the Kaggle edition)",
  recognise: async (place) => (await place.has(PHOTOS)) === "folder" || (await place.has(MASKS)) === "folder",
  read: async (place, say) => ({
    pairs: await pairFiles(
      place,
      {
        photos: {
          noun: "photo",
          folder: PHOTOS,
          kinds: "img_*.png",
          file: pictureFile("img_"),
          fileOf: (name) => `img_${name}.png`,
        },
        masks: {
          noun: "mask",
          folder: MASKS,
          kinds: "seg_*.png",
          file: pictureFile("seg_"),
          fileOf: (name) => `seg_${name}.png`,
        },
      },
      say,
    ),
    declared: await readDeclared(place),
  }),
};
