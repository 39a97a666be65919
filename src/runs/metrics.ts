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

  /** All pixels counted. */
  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Share of pixels whose class was predicted; NaN when nothing was counted. */
  get accuracy(): number {
    let right = 0;
    for (let c = 0; c < this.classes; c++) right += this.counts[c * this.classes + c];
    return right / this.total;
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
    const truth = this.pixelCounts();
    const predicted = this.predictedCounts();
    return Array.from(truth, (pixels, c) => {
      const hits = this.counts[c * this.classes + c];
      const union = pixels + predicted[c] - hits;
      return union === 0 ? null : hits / union;
    });
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
    const truth = this.pixelCounts();
    const present = this.iou().filter((_, c) => truth[c] > 0) as number[];
    return present.reduce((sum, value) => sum + value, 0) / present.length;
  }
}
