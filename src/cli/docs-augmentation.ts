/** @file Writes `docs/augmentation.png`: what the augmentations that are others each time make of a drawn person, and crops of it. */
import { writeFile } from "node:fs/promises";
import { applySteps, RANDOM_NAMES } from "../data/augment.ts";
import type { CropOptions } from "../data/augment.ts";
import { GeneratedDataset } from "../data/generated-dataset.ts";
import { sharp } from "../data/sharp.ts";
import { augmentationsFigure } from "../runs/figures/augmentations.ts";
import { pictureOf } from "../runs/figures/mosaic.ts";

const imageSize = 192;
/** Decides what they do: one that shows. */
const SEED = 5;
/** Of crops, and what decides where they are: several, for each is another. */
const CROP = { height: 128, width: 128 };
const CROP_SEEDS = [1, 2, 3, 4];
/** Pixels: what a page of documentation is wide. */
const WIDTH = 830;

const people = new GeneratedDataset({ size: 4, imageSize, seed: 2 });
const [person, other] = [await people.load(0), await people.load(2)];
const named = ["original" as const, ...RANDOM_NAMES].map((name) => ({ name, names: [name], seed: SEED }));
const crop: CropOptions = { size: CROP, scale: [0.5, 2] };
const crops = CROP_SEEDS.map((seed) => ({ name: `crop ${CROP.width}`, names: [], crop, seed }));
const columns = await Promise.all(
  [...named, ...crops].map(async ({ name, ...steps }) => {
    const sample = await applySteps(person, steps, other);
    return { name, picture: pictureOf({ ...sample, name }) };
  }),
);
const figure = await augmentationsFigure({
  columns,
  classNames: people.classNames,
  title: "One augmentation at a time",
});
const file = new URL("../../docs/augmentation.png", import.meta.url);
await writeFile(
  file,
  await sharp(figure).resize(WIDTH).png({ palette: true, colours: 256, effort: 10 }).toBuffer(),
);
