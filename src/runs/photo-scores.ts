import type { Size } from "../data/resize.ts";
import type { ClassIds } from "./metrics.ts";

/** How well one photo was labelled. */
export interface PhotoScore {
  /** The photo's place in the data set. */
  readonly index: number;
  /** Pixels that count. */
  readonly pixels: number;
  /** Share of them whose class was predicted; NaN where none counts. */
  readonly accuracy: number;
  /** Mean intersection over union of the classes in the photo's own truth; NaN where no pixel counts. */
  readonly meanIou: number;
}

/** A photo that is to be shown. */
export interface JudgedPhoto extends PhotoScore {
  /** `[height, width]`, the likeliest class of each pixel. */
  readonly prediction: Uint8Array;
  /** Of the prediction, in pixels. */
  readonly size: Size;
}

/** What is said of each photo of an evaluation. */
export interface PhotoScores {
  /** All of them, in the order of the data set. */
  readonly photos: readonly PhotoScore[];
  /**
   * Those with the lowest mean IoU, the lowest first, and those with the highest, the highest first; of equal ones accuracy decides,
   * then their order. As many of one as of the other, no photo twice; a single photo is the worst.
   */
  readonly worst: readonly JudgedPhoto[];
  readonly best: readonly JudgedPhoto[];
}

/**
 * Scores one photo by itself.
 *
 * @param truth a pixel whose number is no class does not count.
 */
export function scorePhoto(
  truth: ClassIds,
  prediction: ClassIds,
  classes: number,
): Omit<PhotoScore, "index"> {
  const [trueCounts, predictedCounts, hits] = [0, 1, 2].map(() => new Uint32Array(classes));
  let pixels = 0;
  let right = 0;
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] >= classes) continue;
    pixels++;
    trueCounts[truth[i]]++;
    predictedCounts[prediction[i]]++;
    if (truth[i] !== prediction[i]) continue;
    right++;
    hits[truth[i]]++;
  }
  let sum = 0;
  let present = 0;
  for (let c = 0; c < classes; c++) {
    if (trueCounts[c] === 0) continue;
    present++;
    sum += hits[c] / (trueCounts[c] + predictedCounts[c] - hits[c]);
  }
  return { pixels, accuracy: right / pixels, meanIou: sum / present };
}

/** Scores photos as they come, and keeps the predictions of few of them, however many there are. */
export class PhotoJudge {
  readonly #classes: number;
  readonly #shown: number;
  readonly #photos: PhotoScore[] = [];
  #worst: JudgedPhoto[] = [];
  #best: JudgedPhoto[] = [];

  /** @param shown how many of the worst photos, and of the best, are kept at most. */
  constructor(classes: number, shown: number) {
    this.#classes = classes;
    this.#shown = shown;
  }

  /**
   * @param keep makes what is kept of the prediction, which is called for only where it is.
   */
  add(
    index: number,
    truth: ClassIds,
    prediction: ClassIds,
    keep: () => Pick<JudgedPhoto, "prediction" | "size">,
  ): void {
    const score = { index, ...scorePhoto(truth, prediction, this.#classes) };
    this.#photos.push(score);
    if (score.pixels === 0) return;
    const [worst, best] = [this.#worst, this.#best];
    const isWorse = worst.length < this.#shown || fromWorst(score, worst.at(-1)!) < 0;
    const isBetter = best.length < this.#shown || fromBest(score, best.at(-1)!) < 0;
    if (!isWorse && !isBetter) return;
    const judged = { ...score, ...keep() };
    if (isWorse) this.#worst = [...worst, judged].sort(fromWorst).slice(0, this.#shown);
    if (isBetter) this.#best = [...best, judged].sort(fromBest).slice(0, this.#shown);
  }

  /** All that it knows: of a part of the photos, for the judge of all of them. */
  get judged(): PhotoScores {
    return { photos: this.#photos, worst: this.#worst, best: this.#best };
  }

  /** Takes on what another has judged of other photos of the same data set. */
  addJudged({ photos, worst, best }: PhotoScores): void {
    this.#photos.push(...photos);
    this.#worst = [...this.#worst, ...worst].sort(fromWorst).slice(0, this.#shown);
    this.#best = [...this.#best, ...best].sort(fromBest).slice(0, this.#shown);
  }

  get scores(): PhotoScores {
    const judged = this.#photos.filter(({ pixels }) => pixels > 0).length;
    const each = Math.floor(judged / 2);
    return {
      photos: [...this.#photos].sort((a, b) => a.index - b.index),
      worst: this.#worst.slice(0, Math.max(1, each)),
      best: this.#best.slice(0, each),
    };
  }
}

const fromWorst = (a: PhotoScore, b: PhotoScore): number =>
  a.meanIou - b.meanIou || a.accuracy - b.accuracy || a.index - b.index;
const fromBest = (a: PhotoScore, b: PhotoScore): number => fromWorst(b, a);

/** Lines of a CSV file, a header first: what each photo is called and how well it was labelled; empty where no pixel counts. */
export function photoScoresCsv(photos: readonly PhotoScore[], names: readonly string[]): string {
  const cell = (value: number): string => (Number.isNaN(value) ? "" : value.toPrecision(7));
  const rows = photos.map(({ index, pixels, accuracy, meanIou }) =>
    [quoted(names[index]), pixels, cell(accuracy), cell(meanIou)].join(","),
  );
  return ["name,pixels,accuracy,mean_iou", ...rows, ""].join("\n");
}

/** A cell of a CSV file (RFC 4180). */
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
