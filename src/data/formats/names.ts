/** The formats that are known, as `--format` calls them; where a place is of two, the first counts. */
export const FORMAT_NAMES = [
  ...([
    "clothing-co-parsing",
    "voc",
    "cityscapes",
    "ade20k",
    "coco",
    "yolo",
    "cvat",
    "label-studio",
  ] as const),
  ...(["folders", "clothing-kaggle", "labelme"] as const),
] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];
