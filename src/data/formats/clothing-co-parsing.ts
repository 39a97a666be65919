import { readDeclared } from "../classes/read-declared.ts";
import { PICTURE_KINDS, pictureFile } from "../picture-files.ts";
import { pairFiles } from "./file-pairs.ts";
import type { Format } from "./format.ts";

const PHOTOS = "photos";
const ANNOTATIONS = "annotations/pixel-level";

/**
 * `photos/NNNN.jpg` + `annotations/pixel-level/NNNN.mat`: Clothing Co-Parsing as its authors publish it (Yang, Luo and
 * Lin, CVPR 2014; the root of the GitHub repository `bearpaw/clothing-co-parsing`). 1,004 of its 2,098 photos are
 * annotated pixel by pixel; the others have only tags.
 */
export const clothingCoParsing: Format = {
  name: "clothing-co-parsing",
  title: "Clothing Co-Parsing",
  description: "photos/ and annotations/pixel-level/ (as the authors of Clothing Co-Parsing publish it)",
  recognise: async (place) =>
    (await place.has(ANNOTATIONS)) === "folder" ||
    ((await place.has(PHOTOS)) === "folder" && (await place.has("label_list.mat")) === "file"),
  read: async (place, say) => ({
    pairs: await pairFiles(
      place,
      {
        photos: {
          noun: "photo",
          folder: PHOTOS,
          kinds: PICTURE_KINDS,
          file: pictureFile(),
          fileOf: (name) => `${name}.jpg`,
        },
        masks: {
          noun: "annotation",
          folder: ANNOTATIONS,
          kinds: "MAT",
          file: /^(.+)\.mat$/i,
          fileOf: (name) => `${name}.mat`,
        },
        unlabelledPhotos: true,
      },
      say,
    ),
    declared: await readDeclared(place),
  }),
};
