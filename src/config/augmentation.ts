import { AUGMENTATION_SETS, isRandom } from "../data/augment.ts";
import type { AugmentationName, AugmentationSetName } from "../data/augment.ts";
import { parseSize, sizeText } from "../image-size.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { sizeProblem } from "../layers/networks/image-size.ts";
import type { Said, TrainConfig } from "./schema.ts";
import { ConfigError, parseRange } from "./setting.ts";

/**
 * What was said, with sets of augmentations spelled out, and in the mode that goes with the augmentations where nobody says one: `copies`
 * for the tutorial's, `random` for those that are others each time.
 */
export function withAugmentations(said: Said): Said {
  const { augment } = said;
  if (!Array.isArray(augment)) return said;
  const names: unknown[] = augment.flatMap((name: unknown) =>
    isSet(name) ? AUGMENTATION_SETS[name] : [name],
  );
  const mode = names.some((name) => isRandom(name as AugmentationName))
    ? { augmentMode: "random" }
    : augment.join() === "article"
      ? { augmentMode: "copies" }
      : {};
  // The command line's own record has every setting, undefined where nothing was said.
  return { ...said, augment: names, ...(said.augmentMode === undefined && mode) };
}

const isSet = (name: unknown): name is AugmentationSetName => Object.hasOwn(AUGMENTATION_SETS, String(name));

/** @throws ConfigError when copies are asked for of what is another one each time, or rectangles are to be turned. */
export function checkAugmentation({ augment, augmentMode, imageSize, crop }: TrainConfig): void {
  const { height, width } = parseSize(crop ?? imageSize)!;
  if (height !== width && augment?.includes("rot90")) {
    throw new ConfigError(
      `--augment rot90 makes photos of ${width}×${height} of those of ${height}×${width}, and a batch has but one size: leave it out, ` +
        `or give a square ${crop === null ? "--image-size" : "--crop"}.`,
    );
  }
  const random = augment?.find(isRandom);
  if (augmentMode === "random" || random === undefined) return;
  throw new ConfigError(
    `--augment-mode copies keeps a copy of each photo, and ${random} makes another one each time: leave it out, or give ` +
      "--augment-mode random.",
  );
}

/** @throws ConfigError when there are no crops of that size, or a scale of none. */
export function checkCrop({ imageSize, crop, scale }: TrainConfig, encoder: Encoder): void {
  if (crop === null) {
    if (scale === null) return;
    throw new ConfigError(
      "--scale is of the photos that crops are taken from, and there are none: give --crop too, or leave it out.",
    );
  }
  const [size, photo] = [parseSize(crop)!, parseSize(imageSize)!];
  const problem = sizeProblem(encoder, size);
  if (problem !== null) throw new ConfigError(`--crop ${problem} (it is ${crop}).`);
  const most = scale === null ? 1 : parseRange(scale)[1];
  if (size.height <= most * photo.height && size.width <= most * photo.width) return;
  const largest = sizeText({
    height: Math.round(most * photo.height),
    width: Math.round(most * photo.width),
  });
  throw new ConfigError(
    `--crop ${crop} is larger than photos ever are, ${largest}: give a smaller one, a larger --image-size or a larger --scale.`,
  );
}
