/** This worker cannot do what is in the queue, and another may: it gives the shard back as it was, and ends. One sentence for the user. */
export class UnfitWorkerError extends Error {
  override readonly name = "UnfitWorkerError";
}
