import type { Size } from "../../data/resize.ts";
import type { FineTuningTargets } from "./network.ts";
import { UNPAINTED } from "./painting.ts";
import type { Painting } from "./painting.ts";

/** How much of a pixel of the network must be painted for it to count. */
const COVERED = 1 / 4;

/**
 * What a correction asks of the network, at the network's size: a pixel of which a quarter or more is painted gets the
 * class that most of the paint has; where the paint reaches that nowhere, every pixel that it touches.
 *
 * @param labels `[imageSize.height, imageSize.width]`, what the network says
 * @returns null when nothing is painted.
 */
export function fineTuningTargets(
  painting: Painting,
  labels: Uint32Array,
  imageSize: Size,
  classes: number,
): FineTuningTargets | null {
  const { width, height } = painting;
  const votes = new Map<number, number>();
  const pixels = imageSize.height * imageSize.width;
  const covered = new Uint32Array(pixels);
  painting.labels.forEach((label, at) => {
    if (label === UNPAINTED) return;
    const row = Math.floor(((Math.floor(at / width) + 0.5) * imageSize.height) / height);
    const column = Math.floor((((at % width) + 0.5) * imageSize.width) / width);
    const pixel = row * imageSize.width + column;
    covered[pixel] += 1;
    const vote = pixel * classes + label;
    votes.set(vote, (votes.get(vote) ?? 0) + 1);
  });
  if (votes.size === 0) return null;
  const enough = (COVERED * width * height) / pixels;
  const least = covered.some((count) => count >= enough) ? enough : 1;

  const painted = new Uint32Array(pixels).fill(classes);
  const most = new Uint32Array(pixels);
  for (const [vote, count] of votes) {
    const pixel = Math.floor(vote / classes);
    if (covered[pixel] < least || count <= most[pixel]) continue;
    most[pixel] = count;
    painted[pixel] = vote % classes;
  }
  const kept = labels.map((label, pixel) => (painted[pixel] === classes ? label : classes));
  return { painted, kept, paintedPixels: painted.filter((label) => label < classes).length };
}
