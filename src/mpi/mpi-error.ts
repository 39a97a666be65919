/** An MPI that is not there, cannot be used, or a collective that went wrong; the message is for the user. */
export class MpiError extends Error {
  override readonly name = "MpiError";
}
