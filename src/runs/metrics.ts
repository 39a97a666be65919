/** Class ids of pixels, in any layout. */
export type ClassIds = Uint8Array | Uint16Array | Uint32Array | Int32Array;

/**
 * How often each class was taken for each: everything that is said of a segmentation is computed from it, so that all
 * the numbers of one evaluation speak of the same pixels.
 */
export class ConfusionMatrix {
  readonly classes: number;
  /** Pixels, `[classes, classes]` row-major: rows are the truth, columns the prediction. */
  readonly counts: Float64Array;

  constructor(classes: number) {
    if (!Number.isInteger(classes) || classes < 1) {
      throw new RangeError(`A confusion matrix needs a whole number of classes above zero, not ${classes}.`);
    }
    this.classes = classes;
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * Counts the pixels `from` (included) to `to` (excluded) of two arrays that lie alike; all of them by default.
   *
   * @throws RangeError for arrays of different lengths, a range outside them, or a class id that is not one of
   *   `classes`; nothing is counted then.
   */
  add(truth: ClassIds, prediction: ClassIds, from = 0, to = truth.length): void {
    const { classes, counts } = this;
    if (truth.length !== prediction.length) {
      throw new RangeError(
        `${truth.length} true pixels cannot be compared with ${prediction.length} predicted ones.`,
      );
    }
    if (from < 0 || to > truth.length || from > to) {
      throw new RangeError(`Pixels ${from} to ${to} do not lie within the ${truth.length} given.`);
    }
    for (let i = from; i < to; i++) {
      const worst = Math.max(truth[i], prediction[i]);
      if (worst >= classes || truth[i] < 0 || prediction[i] < 0) {
        throw new RangeError(
          `Pixel ${i} has class ${truth[i]} and was predicted as ${prediction[i]}; with ${classes} classes ` +
            `the highest id is ${classes - 1}.`,
        );
      }
    }
    for (let i = from; i < to; i++) counts[truth[i] * classes + prediction[i]]++;
  }

  /**
   * Adds counts of the same kind: of the op `confusionMatrix`, for example.
   *
   * @param counts pixels, `[classes, classes]` row-major: rows are the truth, columns the prediction.
   * @throws RangeError when they are of another number of classes.
   */
  addCounts(counts: ArrayLike<number>): void {
    if (counts.length !== this.counts.length) {
      throw new RangeError(
        `${counts.length} counts cannot be added to the ${this.counts.length} of ${this.classes} classes.`,
      );
    }
    for (let i = 0; i < counts.length; i++) this.counts[i] += counts[i];
  }

  /** All pixels counted. */
  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Share of pixels whose class was predicted ("pixel accuracy"); NaN when nothing was counted. */
  get accuracy(): number {
    return this.#perClass(({ hits }) => hits).reduce((sum, hits) => sum + hits, 0) / this.total;
  }

  /** True pixels of each class (the sums of the rows). */
  pixelCounts(): Float64Array {
    const sums = new Float64Array(this.classes);
    for (let i = 0; i < this.counts.length; i++) sums[Math.floor(i / this.classes)] += this.counts[i];
    return sums;
  }

  /** Pixels predicted as each class (the sums of the columns). */
  predictedCounts(): Float64Array {
    const sums = new Float64Array(this.classes);
    for (let i = 0; i < this.counts.length; i++) sums[i % this.classes] += this.counts[i];
    return sums;
  }

  /**
   * Intersection over union (Jaccard index) of each class, `hits / (true + predicted − hits)`; null for a class that is
   * neither in the truth nor in the prediction, for which it is not defined.
   */
  iou(): (number | null)[] {
    return this.#perClass(({ truth, predicted, hits }) => ratio(hits, truth + predicted - hits));
  }

  /**
   * Dice coefficient of each class, which is its F1 score, the harmonic mean of {@link precision} and {@link recall}:
   * `2 · hits / (true + predicted)`; null where the IoU is.
   */
  dice(): (number | null)[] {
    return this.#perClass(({ truth, predicted, hits }) => ratio(2 * hits, truth + predicted));
  }

  /** Share of the pixels predicted as each class that are of it; null for a class that was not predicted. */
  precision(): (number | null)[] {
    return this.#perClass(({ predicted, hits }) => ratio(hits, predicted));
  }

  /** Share of each class's true pixels that were predicted as it; null for a class that is not in the truth. */
  recall(): (number | null)[] {
    return this.#perClass(({ truth, hits }) => ratio(hits, truth));
  }

  /**
   * Mean IoU over the classes present in the truth; NaN when nothing was counted.
   *
   * A class without true pixels is left out, even when it was predicted: otherwise one stray pixel of an absent class
   * would add a zero to the mean. `keras.metrics.MeanIoU` (and `tf.keras`) leaves out only classes that are in neither,
   * so it may be lower. Pascal VOC averages over all classes, which its test set has all of, and the two agree there.
   * The stray pixels are not forgiven: they are missing from the class they were taken from.
   */
  get meanIou(): number {
    return this.#meanOfPresent(this.iou());
  }

  /** Mean Dice coefficient over the classes present in the truth, as {@link meanIou}. */
  get meanDice(): number {
    return this.#meanOfPresent(this.dice());
  }

  /** Mean {@link recall} over the classes present in the truth ("mean accuracy" in the papers). */
  get meanAccuracy(): number {
    return this.#meanOfPresent(this.recall());
  }

  /**
   * IoU of each class weighed by its true pixels (Long, Shelhamer & Darrell 2015, "Fully Convolutional Networks for Semantic
   * Segmentation"); NaN when nothing was counted.
   */
  get frequencyWeightedIou(): number {
    const iou = this.iou();
    return this.pixelCounts().reduce((sum, pixels, c) => sum + pixels * (iou[c] ?? 0), 0) / this.total;
  }

  /** Share of true pixels of class 0: the accuracy of predicting background everywhere. NaN when nothing was counted. */
  get backgroundShare(): number {
    return this.pixelCounts()[0] / this.total;
  }

  #perClass<T>(value: (pixels: { truth: number; predicted: number; hits: number }) => T): T[] {
    const predicted = this.predictedCounts();
    return Array.from(this.pixelCounts(), (truth, c) =>
      value({ truth, predicted: predicted[c], hits: this.counts[c * this.classes + c] }),
    );
  }

  #meanOfPresent(values: readonly (number | null)[]): number {
    const truth = this.pixelCounts();
    const present = values.filter((_, c) => truth[c] > 0) as number[];
    return present.reduce((sum, value) => sum + value, 0) / present.length;
  }
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
