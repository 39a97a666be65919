import { paintAnnotation } from "../../../src/data/annotations/annotation.ts";
import type { PhotoAnnotation } from "../../../src/data/annotations/annotation.ts";

/** The rows of a photo's annotation, a digit a pixel: 0, the place of a label among `labels` from 1 on, or `x` for ignored. */
export function drawn(
  annotation: PhotoAnnotation,
  labels: readonly string[],
  size = annotation.size!,
): string[] {
  const classes = paintAnnotation(annotation, size, (label) =>
    label === null ? 255 : labels.indexOf(label) + 1,
  );
  const text = [...classes].map((value) => (value === 255 ? "x" : String(value))).join("");
  return Array.from({ length: size.height }, (_, y) => text.slice(y * size.width, (y + 1) * size.width));
}
