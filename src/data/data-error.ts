/**
 * A data folder, photo or mask that cannot be used. The message is one sentence for the user: what is wrong,
 * where, and how to mend it.
 */
export class DataError extends Error {
  /** Always `DataError`. */
  override readonly name = "DataError";
}

/** Several faults of one data set, so that they can be mended at once: the message is of a line for each of the first. */
export class DataErrors extends DataError {
  readonly errors: readonly DataError[];

  constructor(errors: readonly DataError[]) {
    const shown = errors.slice(0, SHOWN).map(({ message }) => `  ${message}`);
    const rest = errors.length - shown.length;
    const more = rest === 0 ? [] : [`  … and ${rest} more.`];
    super([`${errors.length} photos and masks cannot be used:`, ...shown, ...more].join("\n"));
    this.errors = errors;
  }
}

/** Faults that are told one by one. */
const SHOWN = 10;

/** One error of one or more. */
export function together(errors: readonly DataError[]): DataError {
  const single = errors.flatMap((error) => (error instanceof DataErrors ? error.errors : [error]));
  return single.length === 1 ? single[0] : new DataErrors(single);
}

/** `1 photo`, `3 photos`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
