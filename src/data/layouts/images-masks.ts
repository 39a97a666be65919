import type { Layout } from "./layout.ts";

/** `images/NAME.jpg` + `masks/NAME.png`: this project's own. */
export const imagesMasks: Layout = {
  description: "images/ and masks/",
  photos: {
    noun: "photo",
    folder: "images",
    kinds: "PNG or JPEG",
    file: /^(.+)\.(?:png|jpe?g)$/i,
    fileOf: (name) => `${name}.jpg`,
  },
  masks: {
    noun: "mask",
    folder: "masks",
    kinds: "PNG or JPEG",
    file: /^(.+)\.(?:png|jpe?g)$/i,
    fileOf: (name) => `${name}.png`,
  },
  unlabelledPhotos: false,
};
