/** Starts a clock; the function returned says how many milliseconds have passed. */
export function elapsed(): () => number {
  const start = performance.now();
  return () => performance.now() - start;
}
