import { isQuick } from "./quick.ts";

/**
 * How often a property is tried whose every case compiles kernels: half as often where one waits for it, and with the same cases
 * each time, whose kernels the driver has kept.
 */
export const compiledCases = (numRuns: number): { numRuns: number; seed?: number } =>
  isQuick ? { numRuns: Math.ceil(numRuns / 2), seed: 1 } : { numRuns };
