/** @file Writes `docs/augmentation.png`: what the augmentations that are others each time make of a drawn person. */
import { writeFile } from "node:fs/promises";
import { applySteps, RANDOM_NAMES } from "../data/augment.ts";
import { GeneratedDataset } from "../data/generated-dataset.ts";
import { sharp } from "../data/sharp.ts";
import { augmentationsFigure } from "../runs/figures/augmentations.ts";
import { pictureOf } from "../runs/figures/mosaic.ts";

const imageSize = 192;
/** Decides what they do: one that shows. */
const SEED = 5;
/** Pixels: what a page of documentation is wide. */
const WIDTH = 830;

const people = new GeneratedDataset({ size: 4, imageSize, seed: 2 });
const [person, other] = [await people.load(0), await people.load(2)];
const names = ["original" as const, ...RANDOM_NAMES];
const columns = await Promise.all(
  names.map(async (name) => {
    const sample = await applySteps(person, { names: [name], seed: SEED }, other);
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
