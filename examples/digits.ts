/** @file Handwritten digits without files: strokes under random transformations, in the manner of MNIST. */
import { seededRandom } from "bespoke";
import type { Random } from "bespoke";

/** Height and width of a digit, in pixels. */
export const SIZE = 28;

type Point = readonly [x: number, y: number];
/** Points joined by straight lines. */
type Stroke = readonly Point[];

/** `count` digits, the same for the same seed: `images` `[count, 28, 28, 1]` in [0, 1], `labels` `[count]`. */
export function drawDigits(count: number, seed: number): { images: Float32Array; labels: Uint32Array } {
  const random = seededRandom(seed, "digits");
  const labels = Uint32Array.from({ length: count }, () => Math.floor(10 * random()));
  const images = new Float32Array(count * SIZE * SIZE);
  labels.forEach((digit, i) => images.set(drawDigit(digit, random), i * SIZE * SIZE));
  return { images, labels };
}

/** An image as text, two characters a pixel's width. */
export function digitText(image: Float32Array): string {
  const shades = " .:+#@";
  const rows = Array.from({ length: SIZE }, (_, y) =>
    Array.from(image.subarray(y * SIZE, (y + 1) * SIZE), (v) =>
      shades[Math.min(5, Math.floor(6 * v))].repeat(2),
    ),
  );
  return rows.map((row) => row.join("").trimEnd()).join("\n");
}

/** One digit `[28, 28]`: turned, sheared, stretched and shifted at random, with a pen of random width, and noise. */
function drawDigit(digit: number, random: Random): Float32Array {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const angle = between(-0.4, 0.4);
  const shear = between(-0.4, 0.4);
  const [width, height] = [between(5, 9.5), between(7, 11)];
  const [left, top] = [SIZE / 2 + between(-3, 3), SIZE / 2 + between(-3, 3)];
  const transform = ([x, y]: Point): Point => {
    const [u, v] = [width * (x + shear * y), height * y];
    return [
      left + u * Math.cos(angle) - v * Math.sin(angle),
      top + u * Math.sin(angle) + v * Math.cos(angle),
    ];
  };
  const strokes = DIGITS[digit].map((stroke) => stroke.map(transform));
  const pen = between(0.8, 1.7);
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const pixel: Point = [(i % SIZE) + 0.5, Math.floor(i / SIZE) + 0.5];
    const ink = Math.min(1, Math.max(0, pen + 0.5 - distance(pixel, strokes)));
    return Math.min(1, Math.max(0, ink + 0.4 * (random() - 0.5)));
  });
}

/** From `point` to the nearest of the lines. */
function distance([x, y]: Point, strokes: readonly Stroke[]): number {
  let nearest = Infinity;
  for (const stroke of strokes) {
    for (let i = 1; i < stroke.length; i++) {
      const [ax, ay] = stroke[i - 1];
      const [bx, by] = stroke[i];
      const [dx, dy] = [bx - ax, by - ay];
      const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
      const t = Math.min(1, Math.max(0, along));
      const [ex, ey] = [x - ax - t * dx, y - ay - t * dy];
      nearest = Math.min(nearest, ex * ex + ey * ey);
    }
  }
  return Math.sqrt(nearest);
}

/** An arc of an ellipse around (x, y) in steps of 30°, angles in degrees, clockwise from the right. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Stroke {
  const steps = Math.ceil(Math.abs(to - from) / 30);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)] as const;
  });
}

/** The strokes of 0 to 9 in a square from −1 to 1, y downwards. */
const DIGITS: readonly (readonly Stroke[])[] = [
  [arc(0, 0, 0.75, 1, 0, 360)],
  [
    [
      [-0.4, -0.55],
      [0.1, -1],
      [0.1, 1],
    ],
  ],
  [[...arc(0, -0.45, 0.7, 0.55, 180, 390), [-0.75, 1], [0.8, 1]]],
  [arc(-0.05, -0.5, 0.65, 0.5, 200, 450), arc(-0.05, 0.5, 0.75, 0.5, 270, 520)],
  [
    [
      [0.35, 1],
      [0.35, -1],
      [-0.8, 0.4],
      [0.85, 0.4],
    ],
  ],
  [
    [
      [0.7, -1],
      [-0.55, -1],
      [-0.65, -0.1],
    ],
    arc(-0.05, 0.38, 0.75, 0.62, 215, 500),
  ],
  [[[0.45, -1], [-0.3, -0.4], ...arc(0, 0.42, 0.7, 0.58, 190, 550)]],
  [
    [
      [-0.75, -1],
      [0.75, -1],
      [-0.15, 1],
    ],
  ],
  [arc(0, -0.5, 0.58, 0.5, 0, 360), arc(0, 0.5, 0.72, 0.5, 0, 360)],
  [
    arc(0, -0.42, 0.68, 0.58, 0, 360),
    [
      [0.68, -0.42],
      [0.3, 1],
    ],
  ],
];
