/** A live page that cannot be served; the message is one sentence for the user. */
export class UiError extends Error {
  override readonly name = "UiError";
}
