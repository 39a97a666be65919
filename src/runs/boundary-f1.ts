import type { ClassIds } from "./metrics.ts";

/** Share of a photo's diagonal that two boundaries may lie apart and still agree. */
export const BOUNDARY_TOLERANCE = 0.0075;

/** What the pixels along the edges of one class come to. */
interface Edges {
  /** Of the truth, and those of them that have a predicted one nearby. */
  truth: number;
  found: number;
  /** Of the prediction, and those of them that have a true one nearby. */
  predicted: number;
  right: number;
}

/**
 * How well the outlines of the classes are met: the boundary F1 score (Csurka, Larlus & Perronnin 2013, "What is a good evaluation
 * measure for semantic segmentation?"; MATLAB's `bfscore`).
 *
 * A pixel is on the boundary of its class when one of its four neighbours is of another. A predicted boundary pixel is right
 * when a true one of the same class lies within the tolerance, by Euclidean distance: 0.75 % of the photo's diagonal, at least one
 * pixel. Precision is the share of predicted boundary pixels that are right, recall that of true ones that are found, and
 * F1 their harmonic mean, of each class in each photo. A class without a true boundary in a photo has none there.
 *
 * Pixels that do not count are looked through: they are on no boundary and make none of their neighbours. Where a mask has
 * a band of them around every object, as Pascal VOC's, little of the boundary is left to compare.
 */
export class BoundaryF1 {
  readonly classes: number;
  readonly #sums: Float64Array;
  readonly #photos: Float64Array;
  #sum = 0;
  #counted = 0;

  constructor(classes: number) {
    this.classes = classes;
    this.#sums = new Float64Array(classes);
    this.#photos = new Float64Array(classes);
  }

  /**
   * Adds a photo.
   *
   * @param truth `[height, width]`; a pixel whose number is no class does not count.
   * @param prediction `[height, width]`.
   */
  add(truth: ClassIds, prediction: ClassIds, width: number): void {
    const counts = (pixel: number): boolean => truth[pixel] < this.classes;
    const [trueEdge, predictedEdge] = [truth, prediction].map((ids) => boundaries(ids, width, counts));
    const near = nearby(truth.length / width, width);
    const edges = Array.from(this.#sums, (): Edges => ({ truth: 0, found: 0, predicted: 0, right: 0 }));
    for (let pixel = 0; pixel < truth.length; pixel++) {
      if (trueEdge[pixel] !== NO_EDGE) {
        const of = edges[trueEdge[pixel]];
        of.truth++;
        if (near(pixel, predictedEdge, trueEdge[pixel])) of.found++;
      }
      if (predictedEdge[pixel] !== NO_EDGE) {
        const of = edges[predictedEdge[pixel]];
        of.predicted++;
        if (near(pixel, trueEdge, predictedEdge[pixel])) of.right++;
      }
    }
    const present = edges.flatMap((each, c) => (each.truth > 0 ? [{ c, f1: f1(each) }] : []));
    for (const { c, f1 } of present) {
      this.#sums[c] += f1;
      this.#photos[c]++;
    }
    if (present.length === 0) return;
    this.#sum += present.reduce((sum, { f1 }) => sum + f1, 0) / present.length;
    this.#counted++;
  }

  /** Of each class, the mean over the photos where it has a true boundary; null where none has one. */
  perClass(): (number | null)[] {
    return Array.from(this.#sums, (sum, c) => (this.#photos[c] === 0 ? null : sum / this.#photos[c]));
  }

  /** The mean over the photos of the mean over the classes with a true boundary there; null where no photo has one. */
  get mean(): number | null {
    return this.#counted === 0 ? null : this.#sum / this.#counted;
  }
}

const NO_EDGE = -1;

/** The class of each pixel that is on its class's boundary; {@link NO_EDGE} elsewhere. */
function boundaries(ids: ClassIds, width: number, counts: (pixel: number) => boolean): Int32Array {
  return Int32Array.from(ids, (id, pixel) => {
    if (!counts(pixel)) return NO_EDGE;
    const x = pixel % width;
    const other = (inside: boolean, neighbour: number): boolean =>
      inside && counts(neighbour) && ids[neighbour] !== id;
    const edge =
      other(x > 0, pixel - 1) ||
      other(x < width - 1, pixel + 1) ||
      other(pixel >= width, pixel - width) ||
      other(pixel < ids.length - width, pixel + width);
    return edge ? id : NO_EDGE;
  });
}

/** Tells whether a class has a boundary pixel within the tolerance of a pixel. */
function nearby(height: number, width: number): (pixel: number, edges: Int32Array, label: number) => boolean {
  const radius = Math.max(1, BOUNDARY_TOLERANCE * Math.hypot(height, width));
  const reach = Math.floor(radius);
  const offsets: { dx: number; dy: number }[] = [];
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) if (Math.hypot(dx, dy) <= radius) offsets.push({ dx, dy });
  return (pixel, edges, label) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    return offsets.some(
      ({ dx, dy }) =>
        x + dx >= 0 &&
        x + dx < width &&
        y + dy >= 0 &&
        y + dy < height &&
        edges[pixel + dy * width + dx] === label,
    );
  };
}

function f1({ truth, found, predicted, right }: Edges): number {
  if (found === 0 || right === 0) return 0;
  const [precision, recall] = [right / predicted, found / truth];
  return (2 * precision * recall) / (precision + recall);
}
