import { z } from "zod";
import { MOST_CLASSES } from "../../data/dataset.ts";
import { RESIZES } from "../../data/resizes.ts";
import { FORMAT_NAMES } from "../../data/formats/names.ts";
import { choice, imageSize, setting, text, toggle, whole } from "../setting.ts";
import { augmentationSettings } from "./augmentation.ts";

const CLASSES = `must be a whole number from 2 to ${MOST_CLASSES} or a file of names`;
const IGNORE_LABEL = "must be a whole number from 0 to 65535, or auto";
/** A whole number of a range; any other is refused with the same words. */
const between = (least: number, most: number, error: string): z.ZodNumber =>
  z.number({ error }).int(error).min(least, error).max(most, error);

/** Photos, masks, and what becomes of them before a network sees them. */
export const dataSettings = {
  data: setting(
    "--data PATH",
    "Data",
    "photos and their labels: a folder, or the file of a labelling tool, in any of the formats of docs/data.md; none draws people in clothes",
    text().nullable(),
  ),
  format: setting(
    "--format NAME",
    "Data",
    "read --data as this format; none recognises it by its content",
    choice(FORMAT_NAMES).nullable(),
  ),
  classes: setting(
    "--classes N|FILE",
    "Data",
    "how many classes there are, background included, or a file that names them; none takes them from the data",
    z.union([between(2, MOST_CLASSES, CLASSES), text()], { error: CLASSES }).nullable(),
  ),
  labelMap: setting(
    "--label-map FILE",
    "Data",
    "lines from,to that merge and drop classes: a mask's number, colour #rrggbb or label, and the class it becomes, or ignore",
    text().nullable(),
  ),
  ignoreLabel: setting(
    "--ignore-label N|auto",
    "Data",
    "the number in masks of pixels that do not count, neither in the loss nor in any metric; auto: as the format has it, or " +
      "255 where it is the only number above the classes; none: every pixel counts",
    z.union([between(0, 65_535, IGNORE_LABEL), z.literal("auto")], { error: IGNORE_LABEL }).nullable(),
  ),
  imageSize: setting(
    "--image-size PIXELS|HxW",
    "Data",
    "what photos are resized to: the side of a square, or height by width (96x64), each a multiple of 32; some encoders take no " +
      "small ones (docs/encoders.md)",
    imageSize(),
  ),
  resize: setting(
    "--resize KIND",
    "Data",
    "stretch: photos fill the image size, whatever their proportions; letterbox: they keep them, and grey that does not count fills the " +
      "rest; short-side: they keep them and cover the image size, and what reaches beyond is cut off (docs/sizes.md)",
    choice(RESIZES),
  ),
  maskInterpolation: setting(
    "--mask-interpolation KIND",
    "Data",
    "how masks are resized; bilinear (class numbers, truncated) invents classes along edges, as the tutorial does; auto: so for " +
      "the tutorial's 59 classes, and nearest for any others",
    choice(["nearest", "bilinear", "auto"]),
  ),
  lossyMasks: setting(
    "--lossy-masks",
    "Data",
    "take masks that are JPEG, lossy WebP or AVIF: such formats change the numbers, along edges most, and so invent classes",
    toggle(),
  ),
  normalization: setting(
    "--normalization KIND",
    "Data",
    "unit: pixels in [0, 1]; imagenet: besides less ImageNet's mean and over its standard deviation; keras: as the encoder's own " +
      "preprocess_input has them, which is what every encoder but DenseNet121 gets by default",
    choice(["unit", "imagenet", "keras"]),
  ),
  splitSeed: setting(
    "--split-seed N",
    "Data",
    "decides which fifth of the photos is for validation (scikit-learn's train_test_split), where the data have no split of their own",
    whole(0).max(0xffffffff, "must be at most 4294967295"),
  ),
  validationPhotos: setting(
    "--validation-photos N",
    "Data",
    "validate on the first so many of them; none for all",
    whole(1).nullable(),
  ),
  validationDropRemainder: setting(
    "--validation-drop-remainder",
    "Data",
    "leave out the last validation photos, which fill no batch, as the tutorial does",
    toggle(),
  ),
  ...augmentationSettings,
  shuffleBuffer: setting(
    "--shuffle-buffer N",
    "Data",
    "shuffle as tf.data does, through a buffer of so many samples; none for a full shuffle",
    whole(1).nullable(),
  ),
  dropRemainder: setting(
    "--drop-remainder",
    "Data",
    "leave out the training samples that fill no batch at the end of a pass",
    toggle(),
  ),
  cache: setting("--cache", "Data", "keep the resized photos in .cache/samples for the next run", toggle()),
  cacheFeatures: setting(
    "--cache-features",
    "Data",
    "while the encoder is frozen, keep in memory what it makes of each photo, up to a quarter of what is free and 4 GiB: " +
      "the same bits, sooner where photos come again",
    toggle(),
  ),
};
