/** Loss and accuracy over the steps, as columns: means of `stride` steps each, at the last of them. */
export interface Curve {
  stride: number;
  steps: number[];
  loss: number[];
  accuracy: number[];
  /** The steps since the last point, summed up. */
  open: { count: number; loss: number; accuracy: number };
}

/** A curve never has more points than this: more cannot be told apart on a screen, and memory stays bounded. */
export const MOST_POINTS = 2048;

export const emptyCurve = (): Curve => ({
  stride: 1,
  steps: [],
  loss: [],
  accuracy: [],
  open: { count: 0, loss: 0, accuracy: 0 },
});

/** Adds a step in place; when the curve is full, every two points become one first. */
export function addToCurve(
  curve: Curve,
  { globalStep, loss, accuracy }: { globalStep: number; loss: number; accuracy: number },
): void {
  const { open } = curve;
  open.count += 1;
  open.loss += loss;
  open.accuracy += accuracy;
  if (open.count < curve.stride) return;
  curve.steps.push(globalStep);
  curve.loss.push(open.loss / open.count);
  curve.accuracy.push(open.accuracy / open.count);
  curve.open = { count: 0, loss: 0, accuracy: 0 };
  if (curve.steps.length >= MOST_POINTS) halve(curve);
}

function halve(curve: Curve): void {
  const mean = (values: number[]): number[] =>
    Array.from({ length: values.length / 2 }, (_, i) => (values[2 * i] + values[2 * i + 1]) / 2);
  curve.stride *= 2;
  curve.steps = curve.steps.filter((_, i) => i % 2 === 1);
  curve.loss = mean(curve.loss);
  curve.accuracy = mean(curve.accuracy);
}
