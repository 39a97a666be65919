/** @file Masks as run lengths, as COCO and pycocotools have them. */

/**
 * The runs of zeros and of ones in turns, zeros first, down the columns of `[height, width]`, of the pixels that are `label`
 * (`encode` of pycocotools, uncompressed).
 */
export function runLengthsOf(mask: Uint8Array, width: number, label: number): number[] {
  const height = mask.length / width;
  const counts: number[] = [];
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const isOne = mask[y * width + x] === label;
      if (isOne !== (counts.length % 2 === 1)) {
        counts.push(run);
        run = 0;
      }
      run++;
    }
  }
  return [...counts, run];
}

/** The character of the digit 0. */
const ZERO = 48;

/**
 * Run lengths as text (`rleToString` of pycocotools): each in base 32, low digits first, 32 added to a digit where more follow; from the
 * fourth on the difference to the count before the last one. The sign is that of the last digit's bit of 16.
 */
export function runLengthText(counts: readonly number[]): string {
  let text = "";
  counts.forEach((count, i) => {
    let value = i > 2 ? count - counts[i - 2] : count;
    for (let more = true; more;) {
      const digit = value & 31;
      value >>= 5;
      more = digit & 16 ? value !== -1 : value !== 0;
      text += String.fromCharCode(ZERO + digit + (more ? 32 : 0));
    }
  });
  return text;
}
