import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream";
import { extract } from "tar-stream";
import type { Extract } from "tar-stream";
import { DataError } from "../data/data-error.ts";
import { pictureFile } from "../data/picture-files.ts";
import { FileError } from "../files/file-error.ts";
import { printable } from "../files/printable.ts";
import { recogniseFile, refusalOf } from "../files/recognise.ts";
import { readFully, statFile, withFile } from "../files/transfer.ts";
import { messageOf } from "../message-of.ts";
import { BulkError } from "./bulk-error.ts";
import type { BulkPhoto, Found } from "./bulk-photo.ts";
import type { TarShard } from "./shard.ts";
import type { Stems } from "./stems.ts";

const PHOTO = pictureFile();

type Member = Extract extends AsyncIterable<infer Item> ? Item : never;

/** Bytes of an archive's blocks. */
const BLOCK = 512;

/** What photos may take. */
export interface TarLimits {
  /** Bytes of a photo at most. */
  readonly largest: number;
}

/**
 * The photos of an archive, one after the other as they come in it. As WebDataset has it, a member's key is its name up to the first dot behind
 * the last slash, and what follows says what it is: `a.jpg` is a photo, `a.seg.png` another thing of the same sample. Hidden members
 * are passed over in silence, other files are counted, a link is no file.
 *
 * A photo's bytes are in memory from the time it is asked for until it is read.
 *
 * @throws BulkError when the archive is not what it was when the shards were made, is cut short or damaged; FileError.
 */
export async function* tarPhotos(
  { path, bytes }: TarShard["tar"],
  stems: Stems,
  { largest }: TarLimits,
  signal?: AbortSignal,
): AsyncGenerator<Found> {
  await checkArchive(path, bytes).catch((error: unknown) => {
    // It is of this archive: others may be whole.
    throw error instanceof FileError ? new BulkError(error.message, { cause: error }) : error;
  });
  const archive = extract();
  const file = createReadStream(path, { signal });
  // Its failure comes to the iteration as well.
  pipeline(file, archive, () => undefined);
  try {
    for await (const member of archive) {
      const found = await lookAt(member, { path, stems, largest });
      member.resume();
      if (found !== null) yield found;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BulkError) throw error;
    throw new BulkError(`The archive ${path} is cut short or damaged (${messageOf(error)}): copy it anew.`);
  } finally {
    file.destroy();
    archive.destroy();
  }
}

/** What a member is; null for one that nobody has to hear of. */
async function lookAt(
  member: Member,
  { path, stems, largest }: { readonly path: string; readonly stems: Stems; readonly largest: number },
): Promise<Found | null> {
  const { name, type, size = 0 } = member.header;
  const last = name.slice(name.lastIndexOf("/") + 1);
  if (type === "directory" || last === "" || last.startsWith(".")) return null;
  const hasKey = last.indexOf(".") === last.lastIndexOf(".");
  const isFile = type === "file" || type === "contiguous-file";
  if (!isFile || !hasKey || !PHOTO.test(last)) return { kind: "passed-over" };
  const photo = `${basename(path)}/${name}`;
  const stem = stems.of(name);
  if (size <= largest) return { kind: "photo", photo: once(photo, stem, await bytesOf(member)) };
  const problem = new DataError(
    `The photo ${printable(photo, 1000)} has ${size} bytes, and ${largest} are read at most: leave it out, or make it smaller.`,
  );
  return { kind: "photo", photo: { photo, stem, read: () => Promise.reject(problem) } };
}

/** A photo that lets go of its bytes when they are read. */
function once(photo: string, stem: string, bytes: Buffer): BulkPhoto {
  let held: Buffer | undefined = bytes;
  return {
    photo,
    stem,
    read: () => {
      const given = held;
      held = undefined;
      return given === undefined
        ? Promise.reject(new Error(`${photo} was read before.`))
        : Promise.resolve(given);
    },
  };
}

async function bytesOf(member: Member): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of member) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** An archive that lacks its end may lack photos, too; where it ends with a member nothing else would tell. */
async function checkArchive(path: string, bytes: number): Promise<void> {
  const { size } = await statFile(path);
  if (size !== bytes) {
    throw new BulkError(
      `The archive ${path} has ${size} bytes, and ${bytes} when the shards were made: put back the one of then, or begin anew with ` +
        "another --out.",
    );
  }
  const found = await recogniseFile(path);
  if (found !== undefined && found.what !== "a tar archive") throw refusalOf(path, found);
  const end = new Uint8Array(BLOCK).fill(1);
  if (bytes >= 2 * BLOCK) await withFile(path, (file) => readFully(file, path, end, bytes - BLOCK));
  if (bytes % BLOCK === 0 && end.every((byte) => byte === 0)) return;
  throw new BulkError(
    `The archive ${path} is cut short or no tar archive (it lacks the empty blocks at the end): copy it anew.`,
  );
}
