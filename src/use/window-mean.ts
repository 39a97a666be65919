import type { Size } from "../data/resize.ts";
import { gaussianWeights } from "./windows.ts";

/** The mean of what windows of one size say of an image that they slide over, each counting most at its centre. */
export class WindowMean {
  readonly #width: number;
  readonly #window: Size;
  readonly #classes: number;
  readonly #sums: Float32Array;
  readonly #weights: Float32Array;

  constructor({ height, width }: Size, window: Size, classes: number) {
    this.#width = width;
    this.#window = window;
    this.#classes = classes;
    this.#sums = new Float32Array(height * width * classes);
    this.#weights = new Float32Array(height * width);
  }

  /** Adds a window's scores `[height, width, classes]`; it lies within the image. */
  add(scores: Float32Array, { left, top }: { left: number; top: number }): void {
    const { height, width } = this.#window;
    const [rows, columns] = [gaussianWeights(height), gaussianWeights(width)];
    for (let y = 0, from = 0; y < height; y++) {
      let pixel = (top + y) * this.#width + left;
      for (let x = 0; x < width; x++, pixel++) {
        const weight = rows[y] * columns[x];
        this.#weights[pixel] += weight;
        for (let c = 0, to = pixel * this.#classes; c < this.#classes; c++)
          this.#sums[to++] += weight * scores[from++];
      }
    }
  }

  /** Of an image that is covered: `[height, width, classes]`, to be asked for once. */
  scores(): Float32Array {
    const sums = this.#sums;
    for (let at = 0; at < sums.length; at++) sums[at] /= this.#weights[Math.floor(at / this.#classes)];
    return sums;
  }
}
