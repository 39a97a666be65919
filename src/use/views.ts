/** @file Test-time augmentation: in which views a photo is looked at whose scores are then averaged, as probabilities. */

/** One way of looking at a photo. */
export interface View {
  /** How many times as large as otherwise the network sees it. */
  readonly scale: number;
  /** Whether left is right. */
  readonly flipped: boolean;
}

export const TTA_NAMES = ["flips", "scales"] as const;
/** What is added to a photo as it is: its mirror image, or three quarters and five quarters of its size. */
export type Tta = (typeof TTA_NAMES)[number];

const SCALES = [1, 0.75, 1.25];

/** The views of a photo, as it is first; all combinations of what is asked for. */
export function viewsOf(tta: readonly Tta[]): View[] {
  const scales = tta.includes("scales") ? SCALES : [1];
  const flips = tta.includes("flips") ? [false, true] : [false];
  return scales.flatMap((scale) => flips.map((flipped) => ({ scale, flipped })));
}

/** Turns lines of pixels round, in place: `values` `[lines, width, channels]`. */
export function flipLines(values: Float32Array, width: number, channels: number): void {
  const line = width * channels;
  const pixel = new Float32Array(channels);
  for (let start = 0; start < values.length; start += line) {
    for (
      let left = start, right = start + line - channels;
      left < right;
      left += channels, right -= channels
    ) {
      pixel.set(values.subarray(left, left + channels));
      values.copyWithin(left, right, right + channels);
      values.set(pixel, right);
    }
  }
}
