import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { dirname, resolve } from "node:path";
import { recogniseFile } from "../files/recognise.ts";
import { fileError, withFile } from "../files/transfer.ts";
import { BulkError } from "./bulk-error.ts";
import { saysNothing } from "./list-lines.ts";
import { rootName, shardId } from "./shard.ts";
import type { ListRange, ListShard } from "./shard.ts";

/** Bytes of a line at most: what is longer is no list. */
export const LONGEST_LINE = 2 ** 16;
const CHUNK = 2 ** 20;
const NEWLINE = 0x0a;

/** How a list is divided. */
export interface DivideOptions {
  /** Lines that name something, of each shard but the last. */
  readonly size: number;
  /** The folder or the URL that what is relative in the list is relative to; the list's folder by default. */
  readonly root?: string | undefined;
  /** Ends the reading with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The shards of a list, in one pass over it and without keeping it. Every line is in exactly one of them; blank lines and comments
 * lie in the shard of the line before.
 *
 * @throws BulkError when the file is no list; FileError when it cannot be read.
 */
export async function* divideList(
  path: string,
  { size, root = dirname(resolve(path)), signal }: DivideOptions,
): AsyncGenerator<ListShard> {
  await refuseOtherFiles(path);
  let [index, from, line, entries] = [0, 0, 1, 0];
  let hash = createHash("sha256");
  const shard = (to: number): ListShard => {
    const sha256 = hash.digest("hex");
    const list: ListRange = { path: resolve(path), root, line, entries, from, to, sha256 };
    return { index, id: shardId(index, { root: rootName(root), line, sha256 }), list };
  };
  let [start, number] = [0, 1];
  for await (const bytes of wholeLines(path, signal)) {
    let hashed = 0;
    for (let at = 0; at < bytes.length; number++) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline === -1 ? bytes.length : newline;
      if (!saysNothing(bytes, at + (start + at === 0 ? markOf(bytes) : 0), end)) {
        if (entries === size) {
          hash.update(bytes.subarray(hashed, at));
          yield shard(start + at);
          [index, from, line, entries] = [index + 1, start + at, number, 0];
          [hash, hashed] = [createHash("sha256"), at];
        }
        entries += 1;
      }
      at = end + 1;
    }
    hash.update(bytes.subarray(hashed));
    start += bytes.length;
  }
  if (entries > 0) yield shard(start);
}

/** Bytes of the mark of UTF-8 at the start of a file. */
export const markOf = (start: Uint8Array): number =>
  start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0;

/** The bytes of a file, some lines at a time. */
async function* wholeLines(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let start = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK, signal })) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      const whole = bytes.lastIndexOf(NEWLINE) + 1;
      rest = bytes.subarray(whole);
      if (whole > 0) yield bytes.subarray(0, whole);
      start += whole;
      if (rest.length <= LONGEST_LINE) continue;
      throw new BulkError(
        `${path} has no end of a line within ${LONGEST_LINE} bytes behind byte ${start}: give a list with a path or a URL a line.`,
      );
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, "read", path);
  }
  if (rest.length > 0) yield rest;
}

async function refuseOtherFiles(path: string): Promise<void> {
  const found = (await recogniseFile(path))?.what ?? (await utf16(path));
  if (found !== undefined)
    throw new BulkError(`The list ${path} is ${found}: give a list in UTF-8 with a path or a URL a line.`);
}

/** As PowerShell writes what is redirected. */
async function utf16(path: string): Promise<string | undefined> {
  const mark = await withFile(path, async (file) => (await file.read(new Uint8Array(2), 0, 2, 0)).buffer);
  const [first, second] = mark;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isMarked ? "in UTF-16" : undefined;
}
