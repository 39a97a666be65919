import { PICTURE_KINDS, pictureFile } from "../picture-files.ts";
import type { Layout } from "./layout.ts";

/** `images/NAME.jpg` + `masks/NAME.png`: this project's own. */
export const imagesMasks: Layout = {
  description: "images/ and masks/",
  photos: {
    noun: "photo",
    folder: "images",
    kinds: PICTURE_KINDS,
    file: pictureFile(),
    fileOf: (name) => `${name}.jpg`,
  },
  masks: {
    noun: "mask",
    folder: "masks",
    kinds: "PNG",
    file: pictureFile(),
    fileOf: (name) => `${name}.png`,
  },
  unlabelledPhotos: false,
};
