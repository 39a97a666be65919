/** A list, an archive or a shard that cannot be worked on. The message is one sentence for the user: what is wrong, where, how to mend it. */
export class BulkError extends Error {
  /** Always `BulkError`. */
  override readonly name = "BulkError";
}
