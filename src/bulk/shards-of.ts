import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { BulkError } from "./bulk-error.ts";
import { divideList } from "./divide-list.ts";
import { divideTars } from "./divide-tars.ts";
import { SHARD_SIZE } from "./shard.ts";
import type { BulkInputs, Shard } from "./shard.ts";
import { isWebUrl, shownUrl } from "./web-url.ts";
import { listFolder } from "./walk-folder.ts";

export interface ShardsOptions {
  /** The folder of the outputs, which gets the list of a folder's photos. */
  readonly out: string;
  /** Photos a shard; {@link SHARD_SIZE} by default. An archive is one shard. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many files of a folder are no photos. */
  readonly onPassedOver?: ((files: number) => void) | undefined;
}

/**
 * Divides what is to be labelled into shards, one after the other and in one pass: every photo is in exactly one. The same inputs give
 * the same shards.
 *
 * @throws BulkError when there is nothing to label or it is not what it should be; FileError.
 */
export async function* shardsOf(
  inputs: BulkInputs,
  { out, size = SHARD_SIZE, signal, onPassedOver }: ShardsOptions,
): AsyncGenerator<Shard> {
  if ("list" in inputs) refuseSecrets(inputs.root);
  let any = false;
  const shards = "list" in inputs ? divideList(inputs.list, { size, root: inputs.root, signal }) : of(inputs);
  for await (const shard of shards) {
    any = true;
    yield shard;
  }
  if (!any && "list" in inputs)
    throw new BulkError(`The list ${inputs.list} names no photo: give one with a path or a URL a line.`);

  async function* of(others: Exclude<BulkInputs, { list: string }>): AsyncGenerator<Shard> {
    if ("tars" in others) {
      yield* divideTars(others.tars, signal);
      return;
    }
    await refuseOwn(others.folder, out);
    const { list, passedOver } = await listFolder(others.folder, out, signal);
    onPassedOver?.(passedOver);
    yield* divideList(list, { size, root: resolve(others.folder), signal });
  }
}

/** A root is written down. */
function refuseSecrets(root: string | undefined): void {
  if (root === undefined || !isWebUrl(root)) return;
  if (shownUrl(root) === root || `${shownUrl(root)}` === `${root}/`) return;
  throw new BulkError(
    `The root ${shownUrl(root) ?? "that was given"} has a password, a query or what is no URL in it, and it is written to files: give it without, and whole ` +
      "URLs in the list where they are signed.",
  );
}

async function refuseOwn(folder: string, out: string): Promise<void> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));
  if ((await real(folder)) !== (await real(out))) return;
  throw new BulkError(
    `The masks cannot go to ${out}, where the photos are and they would be taken for photos the next time: give another --out.`,
  );
}
