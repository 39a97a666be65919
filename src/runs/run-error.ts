/** A run that went wrong after it had begun; the message says what to go on from. */
export class RunError extends Error {
  override readonly name = "RunError";
}
