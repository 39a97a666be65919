import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IGNORE } from "../../src/data/dataset.ts";
import { ConfusionMatrix } from "../../src/runs/metrics.ts";
import { PhotoJudge, photoScoresCsv, scorePhoto } from "../../src/runs/photo-scores.ts";

const CLASSES = 5;
const pixel = fc.record({
  truth: fc.oneof(fc.nat(CLASSES - 1), fc.constant(IGNORE)),
  prediction: fc.nat(CLASSES - 1),
});

describe("scorePhoto", () => {
  it("says of a photo what the confusion matrix of its pixels that count says", () => {
    fc.assert(
      fc.property(fc.array(pixel, { minLength: 1, maxLength: 60 }), (pixels) => {
        const confusion = new ConfusionMatrix(CLASSES);
        for (const { truth, prediction } of pixels)
          if (truth !== IGNORE) confusion.add(Uint8Array.of(truth), Uint8Array.of(prediction));
        const truth = Uint8Array.from(pixels, (each) => each.truth);
        const prediction = Uint8Array.from(pixels, (each) => each.prediction);
        const score = scorePhoto(truth, prediction, CLASSES);
        expect(score.pixels).toBe(confusion.total);
        expect(score.accuracy).toBe(confusion.accuracy);
        if (confusion.total === 0) expect(score.meanIou).toBeNaN();
        else expect(score.meanIou).toBeCloseTo(confusion.meanIou, 12);
      }),
    );
  });

  it("counts class 255 where there are 256", () => {
    const mask = Uint8Array.of(255, 0);
    expect(scorePhoto(mask, mask, 256)).toEqual({ pixels: 2, accuracy: 1, meanIou: 1 });
    expect(scorePhoto(mask, mask, 255)).toEqual({ pixels: 1, accuracy: 1, meanIou: 1 });
  });
});

describe("PhotoJudge", () => {
  it("says of parts what it says of all photos", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 10 }), { maxLength: 12 }), fc.nat(12), (right, cut) => {
        const judgeOf = (from: number, to: number): PhotoJudge => {
          const photos = new PhotoJudge(CLASSES, 3);
          right.slice(from, to).forEach((count, i) => {
            const truth = new Uint8Array(10).fill(count < 0 ? IGNORE : 1);
            const prediction = new Uint8Array(10).map((_, pixel) => Number(pixel < count));
            const index = from + i;
            photos.add(index, truth, prediction, () => ({
              prediction: Uint8Array.of(index),
              size: { width: 1, height: 1 },
            }));
          });
          return photos;
        };
        const together = new PhotoJudge(CLASSES, 3);
        for (const [from, to] of [
          [0, cut],
          [cut, right.length],
        ])
          together.addJudged(judgeOf(from, to).judged);
        expect(together.scores).toEqual(judgeOf(0, right.length).scores);
      }),
    );
  });

  /** Photos of 10 pixels of class 1, so many of them right; -1 for one of which no pixel counts. */
  const judge = (right: readonly number[], shown = 3) => {
    const photos = new PhotoJudge(CLASSES, shown);
    const kept: number[] = [];
    right.forEach((count, index) => {
      const truth = new Uint8Array(10).fill(count < 0 ? IGNORE : 1);
      const prediction = new Uint8Array(10).map((_, i) => Number(i < count));
      photos.add(index, truth, prediction, () => {
        kept.push(index);
        return { prediction: Uint8Array.of(index), size: { width: 1, height: 1 } };
      });
    });
    const { worst, best } = photos.scores;
    const [low, high] = [worst, best].map((list) => list.map(({ index }) => index));
    return { worst: low, best: high, kept, all: photos.scores.photos };
  };

  it("keeps the worst and the best, whatever the order they come in, and no others' predictions", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1, max: 10 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        (right, shown) => {
          const ranked = [...right.keys()]
            .filter((index) => right[index] >= 0)
            .sort((a, b) => right[a] - right[b] || a - b);
          const each = Math.min(shown, Math.floor(ranked.length / 2));
          const { worst, best } = judge(right, shown);
          expect(worst).toEqual(ranked.slice(0, Math.max(1, each)));
          expect(best).toEqual(ranked.toReversed().slice(0, each));
        },
      ),
    );
    // Photos between those that are held already are let go.
    expect(judge([1, 9, 5, 5, 5], 1).kept).toEqual([0, 1]);
  });

  it("shows no photo twice, and of a single one the one", () => {
    expect(judge([4])).toMatchObject({ worst: [0], best: [] });
    expect(judge([4, 6])).toMatchObject({ worst: [0], best: [1] });
    expect(judge([4, 6, 5])).toMatchObject({ worst: [0], best: [1] });
    expect(judge([-1])).toMatchObject({ worst: [], best: [] });
    expect(judge([5, 5, 5, 5])).toMatchObject({ worst: [0, 1], best: [3, 2] });
  });

  it("lists all photos, as a CSV file too", () => {
    const { all } = judge([10, 5, -1]);
    expect(photoScoresCsv(all, ["a", 'b, "c"', "d"])).toBe(
      'name,pixels,accuracy,mean_iou\na,10,1.000000,1.000000\n"b, ""c""",10,0.5000000,0.5000000\nd,0,,\n',
    );
  });
});
