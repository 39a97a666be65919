import { PICTURE_KINDS, pictureFile } from "../picture-files.ts";
import type { Layout } from "./layout.ts";

/**
 * `photos/NNNN.jpg` + `annotations/pixel-level/NNNN.mat`: Clothing Co-Parsing as its authors publish it (Yang, Luo and
 * Lin, CVPR 2014; the root of the GitHub repository `bearpaw/clothing-co-parsing`). 1,004 of its 2,098 photos are
 * annotated pixel by pixel; the others have only tags.
 */
export const clothingCoParsing: Layout = {
  description: "photos/ and annotations/pixel-level/ (as the authors of Clothing Co-Parsing publish it)",
  photos: {
    noun: "photo",
    folder: "photos",
    kinds: PICTURE_KINDS,
    file: pictureFile(),
    fileOf: (name) => `${name}.jpg`,
  },
  masks: {
    noun: "annotation",
    folder: "annotations/pixel-level",
    kinds: "MAT",
    file: /^(.+)\.mat$/i,
    fileOf: (name) => `${name}.mat`,
  },
  unlabelledPhotos: true,
};
