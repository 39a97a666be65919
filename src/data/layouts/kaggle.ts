import { pictureFile } from "../picture-files.ts";
import type { Layout } from "./layout.ts";

/**
 * `png_images/IMAGES/img_NNNN.png` + `png_masks/MASKS/seg_NNNN.png`: the Kaggle edition of Clothing Co-Parsing
 * (`rajkumarl/people-clothing-segmentation`), which holds the first 1,000 pairs.
 */
export const kaggle: Layout = {
  description: "png_images/IMAGES/ and png_masks/MASKS/ (the Kaggle edition)",
  photos: {
    noun: "photo",
    folder: "png_images/IMAGES",
    kinds: "img_*.png",
    file: pictureFile("img_"),
    fileOf: (name) => `img_${name}.png`,
  },
  masks: {
    noun: "mask",
    folder: "png_masks/MASKS",
    kinds: "seg_*.png",
    file: pictureFile("seg_"),
    fileOf: (name) => `seg_${name}.png`,
  },
  unlabelledPhotos: false,
};
