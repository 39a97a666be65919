import type { Size } from "../data/resize.ts";

/**
 * The likeliest class of each pixel of a photo, from logits at the network's size: what resizing the logits bilinearly
 * (half-pixel centres, as `tf.image.resize`, in double precision) and then taking the argmax gives, of equal values the lowest class. At
 * the network's own size it is the argmax alone.
 *
 * A photo's pixels lie in cells between four pixels of the network, in which each class's logit is bilinear, so that a class which is ahead
 * of another at the four corners is ahead of it everywhere between. Where one is ahead of all others the cell is that class's; elsewhere
 * classes are compared pixel by pixel, but for those that one of the corners' leaders is ahead of at every corner. Ahead means by more than
 * rounding can make up for, so no mask is another than if all had been compared.
 *
 * @param logits `[from.height, from.width, classes]`, finite
 * @returns `[to.height, to.width]`
 */
export function maskFromLogits(
  logits: Float32Array,
  from: Size,
  classes: number,
  to: Size,
): Uint8Array<ArrayBuffer> {
  const leading = leadersOf(logits, from.width * from.height, classes);
  if (from.width === to.width && from.height === to.height) return leading.leaders;
  const mask = new Uint8Array(to.width * to.height);
  const columns = segmentsOf(from.width, to.width);
  const cells = new Cells(logits, classes, leading);
  for (const rows of segmentsOf(from.height, to.height)) {
    cells.clear();
    const [upper, lower] = [rows.low * from.width, rows.high * from.width];
    const begin = rows.first * to.width;
    for (const column of columns) {
      const { low, high, first, weights } = column;
      const only = cells.add(column, [upper + low, upper + high, lower + low, lower + high]);
      if (only !== null) mask.fill(only, begin + first, begin + first + weights.length);
    }
    rows.weights.forEach((weight, row) => {
      const at = begin + row * to.width;
      if (row > 0) mask.copyWithin(at, begin, begin + to.width);
      cells.draw(mask, at, weight);
    });
  }
  return mask;
}

/** A number that what is certain exceeds another by, as a share of the largest there is: some roundings of double precision. */
const ROUNDING = 2 ** -48;

interface Leaders {
  /** The likeliest class of each of the network's pixels. */
  readonly leaders: Uint8Array<ArrayBuffer>;
  /** By how much it is ahead of the next. */
  readonly leads: Float64Array;
  /** What is ahead by more than this is so whatever is rounded. */
  readonly certain: number;
}

function leadersOf(logits: Float32Array, pixels: number, classes: number): Leaders {
  const leaders = new Uint8Array(pixels);
  const leads = new Float64Array(pixels);
  let most = 0;
  for (let pixel = 0, at = 0; pixel < pixels; pixel++) {
    let [leader, best, second] = [0, -Infinity, -Infinity];
    for (let c = 0; c < classes; c++, at++) {
      const value = logits[at];
      if (value > best) {
        second = best;
        [leader, best] = [c, value];
      } else if (value > second) second = value;
      if (value > most) most = value;
      else if (-value > most) most = -value;
    }
    leaders[pixel] = leader;
    leads[pixel] = best - second;
  }
  return { leaders, leads, certain: ROUNDING * most };
}

/** Places of the four corners of a cell among the network's pixels: upper left, upper right, lower left, lower right. */
type Corners = readonly [number, number, number, number];

/** The cells of a band of rows in which classes are compared pixel by pixel. */
class Cells {
  readonly #logits: Float32Array;
  readonly #classes: number;
  readonly #leading: Leaders;
  #contested: { column: Segment; corners: Corners; contenders: Uint8Array }[] = [];
  readonly #left: Float64Array;
  readonly #slope: Float64Array;

  constructor(logits: Float32Array, classes: number, leading: Leaders) {
    this.#logits = logits;
    this.#classes = classes;
    this.#leading = leading;
    this.#left = new Float64Array(classes);
    this.#slope = new Float64Array(classes);
  }

  clear(): void {
    this.#contested = [];
  }

  /** The class of all pixels of a cell; null where {@link draw} has to look at each. */
  add(column: Segment, corners: Corners): number | null {
    const { leaders, leads, certain } = this.#leading;
    const leader = leaders[corners[0]];
    if (corners.every((corner) => leaders[corner] === leader && leads[corner] > certain)) return leader;
    const contenders = this.#contenders(corners);
    if (contenders.length === 1) return contenders[0];
    this.#contested.push({ column, corners, contenders });
    return null;
  }

  /** Draws the cells where classes are compared, into the row of a mask that begins at `begin`. */
  draw(mask: Uint8Array, begin: number, weight: number): void {
    const [logits, left, slope] = [this.#logits, this.#left, this.#slope];
    for (const { column, corners, contenders } of this.#contested) {
      const [a, b, c, d] = corners.map((corner) => corner * this.#classes);
      const count = contenders.length;
      for (let k = 0; k < count; k++) {
        const label = contenders[k];
        const [upperLeft, upperRight] = [logits[a + label], logits[b + label]];
        left[k] = upperLeft + (logits[c + label] - upperLeft) * weight;
        slope[k] = upperRight + (logits[d + label] - upperRight) * weight - left[k];
      }
      const { first, weights } = column;
      for (let i = 0; i < weights.length; i++) {
        const across = weights[i];
        let best = left[0] + slope[0] * across;
        let leader = 0;
        for (let k = 1; k < count; k++) {
          const value = left[k] + slope[k] * across;
          if (value > best) [best, leader] = [value, k];
        }
        mask[begin + first + i] = contenders[leader];
      }
    }
  }

  /** The classes that none of the corners' leaders is ahead of at every corner. */
  #contenders(corners: Corners): Uint8Array {
    const { leaders, certain } = this.#leading;
    const [logits, classes] = [this.#logits, this.#classes];
    const begins = corners.map((corner) => corner * classes);
    const rivals = [...new Set(corners.map((corner) => leaders[corner]))];
    const isBehind = (label: number): boolean =>
      rivals.some((rival) =>
        begins.every((begin) => logits[begin + rival] - logits[begin + label] > certain),
      );
    return Uint8Array.from({ length: classes }, (_, label) => label).filter((label) => !isBehind(label));
  }
}

/** Neighbouring outputs between the same two inputs. */
interface Segment {
  readonly low: number;
  readonly high: number;
  /** The first of the outputs. */
  readonly first: number;
  /** Of each output, how much the second input counts. */
  readonly weights: readonly number[];
}

/** The outputs of an axis that is resized from one number of pixels to another. */
function segmentsOf(from: number, to: number): Segment[] {
  const segments: (Segment & { weights: number[] })[] = [];
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const [low, high] = [Math.floor(position), Math.ceil(position)];
    const last = segments.at(-1);
    if (last?.low === low && last.high === high) last.weights.push(position - low);
    else segments.push({ low, high, first: i, weights: [position - low] });
  }
  return segments;
}
