import { z } from "zod";
import { AUGMENTATION_NAMES, AUGMENTATION_SET_NAMES } from "../../data/augment.ts";
import type { AugmentationName } from "../../data/augment.ts";
import { likely } from "../likely.ts";
import { choice, imageSize, range, setting } from "../setting.ts";

const KNOWN: readonly string[] = [...AUGMENTATION_SET_NAMES, ...AUGMENTATION_NAMES];

function unknown(name: unknown): string {
  const meant = likely(String(name), KNOWN);
  const perhaps = meant.length === 0 ? "" : ` (${meant.join(" or ")}, perhaps)`;
  return `knows no augmentation ${JSON.stringify(name)}${perhaps}: the names are ${KNOWN.join(", ")}`;
}

/** What is done to photos and masks between the data set and the network. */
export const augmentationSettings = {
  augment: setting(
    "--augment LIST",
    "Data",
    `comma-separated, in the order in which they are done (docs/augmentation.md): ${AUGMENTATION_NAMES.join(", ")}; or a set of ` +
      `them: ${AUGMENTATION_SET_NAMES.join(", ")}; none for no augmentation`,
    z
      .array(
        z.enum(AUGMENTATION_NAMES as [AugmentationName, ...AugmentationName[]], {
          error: ({ input }) => unknown(input),
        }),
        { error: "must be a list of augmentations" },
      )
      .min(1, "must name at least one augmentation, or be none")
      .nullable(),
  ),
  crop: setting(
    "--crop PIXELS|HxW",
    "Data",
    "train on crops of this size, each at a random place, and validate on whole photos; none for whole photos (docs/sizes.md)",
    imageSize().nullable(),
  ),
  scale: setting(
    "--scale MIN..MAX",
    "Data",
    "how many times as large the photo is made, at random, from which a crop is taken, 0.5..2 for example; none for 1",
    range().nullable(),
  ),
  augmentMode: setting(
    "--augment-mode MODE",
    "Data",
    "copies: a whole copy of the training set for each augmentation; random: each one anew each time, with a probability of its own " +
      "(1/2 of those that are always the same), as those must be that are others each time",
    choice(["copies", "random"]),
  ),
};
