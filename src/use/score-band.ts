/**
 * The scores of some rows of a photo, added up from pieces that come from top to bottom. Only rows that more can be added to are
 * held: a photo of 100 megapixels has 24 GB of scores of 59 classes.
 */
export class ScoreBand {
  readonly #mask: Uint8Array;
  readonly #photoWidth: number;
  readonly #left: number;
  readonly #width: number;
  readonly #classes: number;
  readonly #rows: number;
  readonly #scores: Float32Array;
  /** The first row of the photo that is not done. */
  #top = 0;

  /**
   * @param mask `[height, photo's width]`, gets the likeliest class of each pixel of columns `left` to `left + width`, of equal
   *   scores the lowest.
   * @param rows of the tallest piece.
   */
  constructor(
    mask: Uint8Array,
    {
      photoWidth,
      left,
      width,
      rows,
      classes,
    }: { photoWidth: number; left: number; width: number; rows: number; classes: number },
  ) {
    this.#mask = mask;
    this.#photoWidth = photoWidth;
    this.#left = left;
    this.#width = width;
    this.#classes = classes;
    this.#rows = Math.min(rows, mask.length / photoWidth);
    this.#scores = new Float32Array(this.#rows * width * classes);
  }

  /** Done with the rows above `top`: no piece that is still to come begins above it. */
  finish(top: number): void {
    const [classes, width] = [this.#classes, this.#width];
    for (; this.#top < top; this.#top++) {
      const first = (this.#top % this.#rows) * width * classes;
      const out = this.#top * this.#photoWidth + this.#left;
      for (let x = 0, at = first; x < width; x++, at += classes) {
        let leader = 0;
        for (let c = 1; c < classes; c++) if (this.#scores[at + c] > this.#scores[at + leader]) leader = c;
        this.#mask[out + x] = leader;
      }
      this.#scores.fill(0, first, first + width * classes);
    }
  }

  /**
   * Adds a piece of scores `[height, width, classes]` whose corner is at (`left`, `top`) of the photo, what reaches past photo or band left
   * out.
   *
   * @param rowWeights how much each row counts, and `columnWeights` each column.
   */
  add(
    scores: Float32Array,
    { left, top }: { left: number; top: number },
    rowWeights: Float32Array,
    columnWeights: Float32Array,
  ): void {
    const [classes, width, end] = [this.#classes, columnWeights.length, this.#mask.length / this.#photoWidth];
    const firstColumn = Math.max(left, this.#left);
    const lastColumn = Math.min(left + width, this.#left + this.#width);
    for (let row = 0; row < rowWeights.length && top + row < end; row++) {
      let from = (row * width + firstColumn - left) * classes;
      let to = (((top + row) % this.#rows) * this.#width + firstColumn - this.#left) * classes;
      for (let x = firstColumn; x < lastColumn; x++) {
        const weight = rowWeights[row] * columnWeights[x - left];
        for (let c = 0; c < classes; c++) this.#scores[to++] += weight * scores[from++];
      }
    }
  }
}
