import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { z } from "zod";

/** Photos of a shard where nothing else is asked for. */
export const SHARD_SIZE = 1000;

const whole = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const listRange = z.strictObject({
  path: z.string(),
  root: z.string(),
  line: whole,
  entries: whole,
  from: whole,
  to: whole,
  sha256,
});

/** What a shard that comes from elsewhere, a job of a queue, has to be. */
export const shardSchema = z.union([
  z.strictObject({ index: whole, id: z.string(), list: listRange }),
  z.strictObject({ index: whole, id: z.string(), tar: z.strictObject({ path: z.string(), bytes: whole }) }),
]);

/**
 * Some of the photos to be labelled, as small JSON that a job of a queue can hold: where they are said, not which they are. What
 * is done for a shard is there whole or not at all.
 */
export type Shard = ListShard | TarShard;

interface AnyShard {
  /** Place among all shards, from 0. */
  readonly index: number;
  /** Of the place and of what the shard holds, so the same for the same photos, on any machine. */
  readonly id: string;
}

/** Lines of a list of photos. */
export interface ListShard extends AnyShard {
  readonly list: ListRange;
}

/** All photos of a tar archive, as WebDataset has them. */
export interface TarShard extends AnyShard {
  readonly tar: {
    readonly path: string;
    readonly bytes: number;
  };
}

/** Lines of a file, one after the other. */
export interface ListRange {
  /** The list. */
  readonly path: string;
  /** The folder or the URL that what is relative in the list is relative to. */
  readonly root: string;
  /** Number of the first line, from 1. */
  readonly line: number;
  /** Lines that name something: neither blank nor a comment. */
  readonly entries: number;
  /** Byte of the list with which the first line begins. */
  readonly from: number;
  /** Byte behind the last line. */
  readonly to: number;
  /** SHA-256 of these bytes, in hexadecimal digits. */
  readonly sha256: string;
}

/** What is to be labelled. */
export type BulkInputs =
  | {
      /** A file with a path or a URL a line, or a listing of S3. */
      readonly list: string;
      /** The folder or the URL that what is relative in the list is relative to; the list's folder by default. */
      readonly root?: string | undefined;
    }
  | {
      /** A folder with photos in it and in its subfolders. */
      readonly folder: string;
    }
  | {
      /** Tar archives, by path or by a pattern such as `photos-{0000..0099}.tar`. */
      readonly tars: readonly string[];
    };

/** What the outputs of a shard are called: `shard-000003`. */
export const shardName = ({ index }: Pick<Shard, "index">): string =>
  `shard-${String(index).padStart(6, "0")}`;

/** Digits of the digest in a shard's id. */
const ID_DIGITS = 16;

/** What the root of a list is called, wherever it is mounted: the name of a folder, a URL as it is. */
export const rootName = (root: string): string => (/^https?:/i.test(root) ? root : basename(resolve(root)));

/** @param holds what the shard holds, by content and not by place. */
export function shardId(index: number, holds: object): string {
  const digest = createHash("sha256").update(JSON.stringify(holds)).digest("hex");
  return `${shardName({ index })}-${digest.slice(0, ID_DIGITS)}`;
}
