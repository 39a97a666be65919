/**
 * Undoes a scanline's filter in place (PNG specification, third edition, §9).
 * @param above the scanline before it in the same pass, zeros for the first.
 * @param step bytes of a pixel, at least 1.
 * @throws Error of a few words for a filter that does not exist.
 */
export function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < line.length; i++) line[i] += line[i - step];
      return;
    case 2:
      for (let i = 0; i < line.length; i++) line[i] += above[i];
      return;
    case 3:
      for (let i = 0; i < step; i++) line[i] += above[i] >> 1;
      for (let i = step; i < line.length; i++) line[i] += (line[i - step] + above[i]) >> 1;
      return;
    case 4:
      for (let i = 0; i < step; i++) line[i] += above[i];
      for (let i = step; i < line.length; i++) line[i] += paeth(line[i - step], above[i], above[i - step]);
      return;
    default:
      throw new Error(`a scanline has filter ${filter}, which does not exist`);
  }
}

/** The neighbour that is nearest to left + up − corner. */
function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
