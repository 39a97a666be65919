import type { PhotoToLabel } from "../use/photo-to-label.ts";

/** A photo of a shard. */
export interface BulkPhoto extends PhotoToLabel {
  /** The line of the list that names it; absent of one from an archive. */
  readonly line?: number;
}

/** What is found where a shard's photos are. */
export type Found =
  | { readonly kind: "photo"; readonly photo: BulkPhoto }
  /** A file of another kind, which is counted. */
  | { readonly kind: "passed-over" };
