import type { Sample } from "../dataset.ts";
import type { Random } from "../random.ts";
import type { RandomAugmentation } from "./random-augmentation.ts";
import { positions, warp } from "./warp.ts";

/**
 * Where the columns (or rows) of a photo are taken from that is cut into as many equal cells as there are `steps`, each cell from as
 * wide a part of the source as its step says, all of them together from the whole. The grid's lines are those of
 * albumentations' `GridDistortion` with `normalized`; it maps the first and last pixel of a cell onto the lines, which shifts
 * the photo where all steps are 1, and this maps the middles of pixels, which does not.
 *
 * @param steps weights above 0.
 * @returns `[size]`, in [0, size − 1].
 */
export function gridPositions(size: number, steps: readonly number[]): Float32Array<ArrayBuffer> {
  const sum = steps.reduce((total, step) => total + step, 0);
  let reached = 0;
  const lines = [0, ...steps.map((step) => (reached += (step * size) / sum))];
  return Float32Array.from({ length: size }, (_, pixel) => {
    const place = ((pixel + 0.5) * steps.length) / size;
    const cell = Math.floor(place);
    const position = lines[cell] + (lines[cell + 1] - lines[cell]) * (place - cell) - 0.5;
    return Math.min(size - 1, Math.max(0, position));
  });
}

/** Photo (bilinear) and mask (nearest) through a grid: `across` are the widths of its columns, `down` the heights of its rows. */
export function distortGrid(sample: Sample, across: readonly number[], down: readonly number[]): Sample {
  const { height, width } = sample;
  const [columns, rows] = [gridPositions(width, across), gridPositions(height, down)];
  const { x, y } = positions(sample);
  for (let row = 0; row < height; row++) {
    x.set(columns, row * width);
    y.fill(rows[row], row * width, (row + 1) * width);
  }
  return warp(sample, { x, y });
}

/** albumentations' defaults: cells a side, and by how much of itself a step is longer or shorter before they are normalized. */
const [CELLS, LIMIT] = [5, 0.3];

const drawSteps = (random: Random): number[] =>
  Array.from({ length: CELLS }, () => 1 + random.uniform(-LIMIT, LIMIT));

/** Columns and rows of the photo wider and narrower. Nothing comes in from beyond. */
export const gridDistortion: RandomAugmentation = {
  probability: 0.2,
  apply: (sample, random) => distortGrid(sample, drawSteps(random), drawSteps(random)),
};
