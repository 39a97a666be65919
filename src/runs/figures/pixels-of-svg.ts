/** Pixels of a side of what `renderSvg` draws, whole units long in the SVG: it reckons in single precision. */
export const pixelsOfSvg = (units: number, scale: number): number =>
  Math.round(Math.fround(units * Math.fround(scale)));
