import type { Size } from "../../data/resize.ts";

/** Where nobody has painted. */
export const UNPAINTED = -1;

/** What one movement of the hand has painted: every pixel once. */
interface Stroke {
  readonly label: number;
  readonly pixels: number[];
}

/** A correction over a picture: strokes of classes that can be taken back one by one. */
export class Painting {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`: a class, or {@link UNPAINTED}. */
  readonly labels: Int16Array<ArrayBuffer>;
  #strokes: Stroke[] = [];

  constructor({ width, height }: Size) {
    this.width = width;
    this.height = height;
    this.labels = new Int16Array(width * height).fill(UNPAINTED);
  }

  /** How many strokes can be taken back. */
  get strokes(): number {
    return this.#strokes.filter(({ pixels }) => pixels.length > 0).length;
  }

  /** Whether any pixel has paint on it. */
  get isEmpty(): boolean {
    return this.labels.every((label) => label === UNPAINTED);
  }

  /** Begins a stroke of a class, or of {@link UNPAINTED}, which takes paint away. */
  begin(label: number): void {
    this.#dropEmpty();
    this.#strokes.push({ label, pixels: [] });
  }

  /** Goes on with the stroke: a line as wide as the brush from one point to another, in pixels. */
  line(from: Point, to: Point, radius: number): void {
    const steps = Math.max(
      1,
      Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / Math.max(0.5, radius / 3)),
    );
    for (let i = 0; i <= steps; i++) {
      this.#disc(from.x + ((to.x - from.x) * i) / steps, from.y + ((to.y - from.y) * i) / steps, radius);
    }
  }

  /** A stroke of its own over the pixels given. */
  fill(label: number, pixels: Iterable<number>): void {
    this.begin(label);
    for (const pixel of pixels) this.#set(pixel);
  }

  /** Takes the last stroke back. */
  undo(): void {
    this.#dropEmpty();
    this.#strokes.pop();
    this.labels.fill(UNPAINTED);
    for (const { label, pixels } of this.#strokes) for (const pixel of pixels) this.labels[pixel] = label;
  }

  clear(): void {
    this.#strokes = [];
    this.labels.fill(UNPAINTED);
  }

  /** A stroke over its own colour has changed nothing. */
  #dropEmpty(): void {
    if (this.#strokes.at(-1)?.pixels.length === 0) this.#strokes.pop();
  }

  #disc(x: number, y: number, radius: number): void {
    const [top, bottom] = [Math.ceil(y - radius - 0.5), Math.floor(y + radius - 0.5)];
    for (let row = Math.max(0, top); row <= Math.min(this.height - 1, bottom); row++) {
      const half = Math.sqrt(Math.max(0, radius ** 2 - (row + 0.5 - y) ** 2));
      const first = Math.max(0, Math.ceil(x - half - 0.5));
      const last = Math.min(this.width - 1, Math.floor(x + half - 0.5));
      for (let column = first; column <= last; column++) this.#set(row * this.width + column);
    }
  }

  #set(pixel: number): void {
    const { label, pixels } = this.#strokes.at(-1)!;
    if (this.labels[pixel] === label) return;
    this.labels[pixel] = label;
    pixels.push(pixel);
  }
}

/** In pixels from the top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The pixels of the same value around one of them, connected by their sides.
 *
 * @param labels `[height, width]`
 */
export function regionAt(labels: ArrayLike<number>, { width, height }: Size, { x, y }: Point): number[] {
  const start = Math.floor(y) * width + Math.floor(x);
  const label = labels[start];
  const seen = new Uint8Array(width * height);
  const region = [start];
  seen[start] = 1;
  // The list of what was found is also that of what is still to be looked at.
  for (let i = 0; i < region.length; i++) {
    const pixel = region[i];
    const column = pixel % width;
    const visit = (next: number, inside: boolean): void => {
      if (!inside || seen[next] || labels[next] !== label) return;
      seen[next] = 1;
      region.push(next);
    };
    visit(pixel - 1, column > 0);
    visit(pixel + 1, column < width - 1);
    visit(pixel - width, pixel >= width);
    visit(pixel + width, pixel < width * (height - 1));
  }
  return region;
}
