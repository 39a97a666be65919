import { basename } from "node:path";
import { statFile } from "../files/transfer.ts";
import { expandBraces } from "./braces.ts";
import { BulkError } from "./bulk-error.ts";
import { shardId } from "./shard.ts";
import type { TarShard } from "./shard.ts";
import { isWebUrl, shownUrl } from "./web-url.ts";

/** The paths of all archives that some paths and patterns name. */
export function* tarPaths(patterns: readonly string[]): Generator<string> {
  for (const pattern of patterns) yield* expandBraces(pattern);
}

/**
 * A shard for each archive.
 *
 * @throws BulkError when a pattern is none; FileError when an archive is not there.
 */
export async function* divideTars(
  patterns: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<TarShard> {
  let index = 0;
  for (const path of tarPaths(patterns)) {
    signal?.throwIfAborted();
    if (isWebUrl(path))
      throw new BulkError(`${shownUrl(path)} is a URL, and archives are read from files: download it first.`);
    const { size: bytes } = await statFile(path);
    yield { index, id: shardId(index, { tar: basename(path), bytes }), tar: { path, bytes } };
    index += 1;
  }
}
