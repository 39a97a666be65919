/**
 * A data folder, photo or mask that cannot be used. The message is one sentence for the user: what is wrong,
 * where, and how to mend it.
 */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** `1 photo`, `3 photos`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
