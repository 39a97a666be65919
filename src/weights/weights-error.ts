/**
 * A weights file that cannot be read, written or used. The message is one sentence for the user: what is
 * wrong, where, and how to mend it.
 */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
}
