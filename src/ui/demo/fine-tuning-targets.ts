import { placementOf } from "../../data/fit.ts";
import type { Placement } from "../../data/fit.ts";
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
 * @param placement where the photo lies in what the network sees; nothing is asked of what is around it, nor of what is cut off
 * @returns null when nothing that it sees is painted.
 */
export function fineTuningTargets(
  painting: Painting,
  labels: Uint32Array,
  imageSize: Size,
  classes: number,
  placement: Placement = placementOf(painting, imageSize, "stretch"),
): FineTuningTargets | null {
  const { width, height } = painting;
  const { scaled, left, top } = placement;
  const votes = new Map<number, number>();
  const pixels = imageSize.height * imageSize.width;
  const covered = new Uint32Array(pixels);
  painting.labels.forEach((label, at) => {
    if (label === UNPAINTED) return;
    const row = top + Math.floor(((Math.floor(at / width) + 0.5) * scaled.height) / height);
    const column = left + Math.floor((((at % width) + 0.5) * scaled.width) / width);
    if (row < 0 || row >= imageSize.height || column < 0 || column >= imageSize.width) return;
    const pixel = row * imageSize.width + column;
    covered[pixel] += 1;
    const vote = pixel * classes + label;
    votes.set(vote, (votes.get(vote) ?? 0) + 1);
  });
  if (votes.size === 0) return null;
  const enough = (COVERED * width * height) / (scaled.width * scaled.height);
  const least = covered.some((count) => count >= enough) ? enough : 1;

  const painted = new Uint32Array(pixels).fill(classes);
  const most = new Uint32Array(pixels);
  for (const [vote, count] of votes) {
    const pixel = Math.floor(vote / classes);
    if (covered[pixel] < least || count <= most[pixel]) continue;
    most[pixel] = count;
    painted[pixel] = vote % classes;
  }
  const isAround = (pixel: number): boolean => {
    const [row, column] = [Math.floor(pixel / imageSize.width) - top, (pixel % imageSize.width) - left];
    return row < 0 || row >= scaled.height || column < 0 || column >= scaled.width;
  };
  const kept = labels.map((label, pixel) =>
    painted[pixel] === classes && !isAround(pixel) ? label : classes,
  );
  return { painted, kept, paintedPixels: painted.filter((label) => label < classes).length };
}
