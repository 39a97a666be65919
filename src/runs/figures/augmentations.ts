import type { Picture } from "./mosaic.ts";
import { jetFigure } from "./samples.ts";

export interface AugmentationsFigureOptions {
  /** The original and each augmentation of it. */
  readonly columns: readonly { readonly name: string; readonly picture: Picture }[];
  readonly classNames: readonly string[];
  readonly title?: string;
}

/** PNG with a column for each augmentation, four beside each other: its name, the photo and below it the mask, in jet. */
export function augmentationsFigure(options: AugmentationsFigureOptions): Promise<Buffer> {
  const { columns, classNames, title = "Augmentations of a photo and its mask" } = options;
  return jetFigure({ columns, classNames, title, perBand: 4 });
}
