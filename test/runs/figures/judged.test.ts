import sharp from "sharp";
import { beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../../src/data/data-error.ts";
import type { SegmentationDataset } from "../../../src/data/dataset.ts";
import { PALETTE } from "../../../src/masks/palette.ts";
import { ERROR_COLOURS } from "../../../src/runs/figures/error-map.ts";
import { judgedFigures } from "../../../src/runs/figures/judged.ts";
import { PhotoJudge } from "../../../src/runs/photo-scores.ts";
import { colours, rawPixels } from "./raw-pixels.ts";

const SIZE = 32;
const SQUARE = { width: SIZE, height: SIZE };
const classNames = ["null", "a", "b", "c", "d", "e", "f", "g", "h"];
const whole = { width: 1000, height: 600 };
let opened: number[];
beforeEach(() => void (opened = []));

/** Photos of a grey each, all of class 1 and twice as wide as the network sees them. */
const dataset = (size: number, own: boolean): SegmentationDataset => ({
  ...{ size, imageSize: SQUARE, classNames, ignores: false },
  names: Array.from({ length: size }, (_, index) => `photo ${index}`),
  load: () =>
    Promise.resolve({
      ...SQUARE,
      image: new Float32Array(3 * SIZE ** 2).fill(0.5),
      mask: new Uint8Array(SIZE ** 2).fill(1),
    }),
  ...(own && {
    atOwnSize: (index) => {
      opened.push(index);
      const pixels = whole.width * whole.height;
      return Promise.resolve({
        photo: { ...whole, pixels: new Uint8Array(3 * pixels).fill(8 * index) },
        mask: { ...whole, labels: new Uint8Array(pixels).fill(1) },
      });
    },
  }),
});

/** Of each photo a share of the rows is right, the others are called class 2 + its index. */
function scoresOf(shares: readonly number[], size = SQUARE) {
  const judge = new PhotoJudge(classNames.length, 4);
  const truth = new Uint8Array(size.width * size.height).fill(1);
  shares.forEach((share, index) => {
    const prediction = truth.map((_, i) => (i < share * truth.length ? 1 : 2 + index));
    judge.add(index, truth, prediction, () => ({ prediction, size }));
  });
  return judge.scores;
}

describe("judgedFigures", () => {
  it("shows photos, truths, predictions and errors, and lays masks over photos at their own size", async () => {
    const scores = scoresOf([0.5, 1, 0.25, 0.75]);
    const figures = await judgedFigures({ dataset: dataset(4, true), scores, classNames });
    expect(Object.keys(figures).sort()).toEqual(
      ["overlay_best_1", "overlay_best_2", "overlay_worst_1", "overlay_worst_2", "worst_best"].sort(),
    );
    expect(opened).toEqual([2, 0, 1, 3]);
    const seen = await colours(figures.worst_best!);
    for (const colour of [ERROR_COLOURS.correct, ERROR_COLOURS.misclassified, "#808080"])
      expect(seen).toContain(colour);
    for (const label of [1, 2, 4, 5]) expect(seen).toContain(PALETTE[label]);
    // A photo's own pixel is one of the picture's: 1000 across, the margins beside.
    const overlay = await sharp(figures.overlay_worst_1).metadata();
    expect(overlay.width).toBe(1000 + 2 * 20 * 1.25);
    const pixel = await rawPixels(figures.overlay_worst_1!);
    const left = 20 * 1.25;
    const top = 52 * 1.25;
    const blended = (label: number): string => {
      const channels = [...Buffer.from(PALETTE[label].slice(1), "hex")];
      return `#${Buffer.from(channels.map((value) => Math.round(16 + (value - 16) * 0.55))).toString("hex")}`;
    };
    // A quarter of the rows is right: 8 of the network's 32, 150 of the photo's 600.
    expect(pixel(left + 500, top + 140)).toBe(blended(1));
    expect(pixel(left + 500, top + 160)).toBe(blended(4));
  });

  it("compares at the photos' own size where predictions are of that, and shows drawn photos as they are seen", async () => {
    const scores = scoresOf([0.5, 1], whole);
    await judgedFigures({ dataset: dataset(2, true), scores, classNames, atOwnSize: true });
    expect(opened.sort()).toEqual([0, 0, 1, 1]);
    const figures = await judgedFigures({
      dataset: dataset(2, false),
      scores: scoresOf([0.5, 1]),
      classNames,
    });
    expect(Object.keys(figures).sort()).toEqual(["overlay_best_1", "overlay_worst_1", "worst_best"]);
  });

  it("does without photos whose files are gone since they were read", async () => {
    const gone = {
      ...dataset(2, true),
      atOwnSize: () => Promise.reject(new DataError("There is no such file.")),
    };
    const figures = await judgedFigures({ dataset: gone, scores: scoresOf([0.5, 1]), classNames });
    expect((await sharp(figures.overlay_best_1).metadata()).width).toBeGreaterThan(SIZE);
  });

  it("is content with one photo, and with none that counts", async () => {
    const [one, none] = [scoresOf([0.5]), scoresOf([])];
    expect(Object.keys(await judgedFigures({ dataset: dataset(1, false), scores: one, classNames }))).toEqual(
      ["worst_best", "overlay_worst_1"],
    );
    expect(await judgedFigures({ dataset: dataset(1, false), scores: none, classNames })).toEqual({});
  });
});
