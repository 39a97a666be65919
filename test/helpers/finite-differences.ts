/**
 * The gradient of `f` by each number of `data`, by central differences in float64.
 *
 * @param f of copies of `data`, which it may keep.
 */
export function finiteDifferences(
  f: (inputs: readonly Float64Array[]) => number,
  data: readonly ArrayLike<number>[],
  step = 1e-5,
): Float64Array[] {
  return data.map((values, i) =>
    Float64Array.from(values, (value, k) => {
      const at = (difference: number): number => {
        const moved = data.map((values) => Float64Array.from(values));
        moved[i][k] = value + difference;
        return f(moved);
      };
      return (at(step) - at(-step)) / (2 * step);
    }),
  );
}

/** Σ a·b. */
export const dotProduct = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
