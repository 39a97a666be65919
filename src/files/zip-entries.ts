/**
 * @file Single files out of a zip archive that may be anything: sizes are checked against the archive before memory is
 * taken, what is inflated is bounded, and names that lead out of the archive are refused.
 */
import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { fromRandomAccessReaderPromise, RandomAccessReader, type Entry, type ZipFile } from "yauzl";
import { crc32 } from "./crc32.ts";
import { readFully, withFile } from "./transfer.ts";
import { FileError } from "./file-error.ts";
import { messageOf } from "../message-of.ts";

/** More than a model has: a few files, and vocabularies beside them. */
const MOST_ENTRIES = 1000;
/** What an entry may always have, however well it was compressed: text shrinks a hundredfold. */
const SMALL = 2 ** 20;
/** How many times larger than in the archive an entry may be; trained weights shrink by little. */
const LARGEST_EXPANSION = 64;

const STORED = 0;
const DEFLATED = 8;

/** Files that are wanted, each with the most bytes it may have. */
export type WantedEntries<Name extends string> = Readonly<Record<Name, number>>;

/**
 * Reads files of a zip archive into memory; what is not there is missing from the result.
 *
 * @param wanted name of each file → the most bytes that are taken for it
 * @throws {FileError} where the file cannot be read or is no archive, an entry is encrypted, lies about its size or
 *   does not have its checksum, or a name occurs twice or leads out of the archive
 */
export async function readZipEntries<Name extends string>(
  path: string,
  wanted: WantedEntries<Name>,
): Promise<Partial<Record<Name, Uint8Array<ArrayBuffer>>>> {
  return withZip(path, async (zip, archive) => {
    const read: Partial<Record<Name, Uint8Array<ArrayBuffer>>> = {};
    for (const entry of await entriesOf(zip, path)) {
      const name = entry.fileName as Name;
      if (Object.hasOwn(wanted, name)) read[name] = await readEntry(zip, entry, archive, wanted[name]);
    }
    return read;
  });
}

/**
 * The names of the files in a zip archive.
 *
 * @throws {FileError} as {@link readZipEntries} does
 */
export function zipEntryNames(path: string): Promise<string[]> {
  return withZip(path, async (zip) => (await entriesOf(zip, path)).map(({ fileName }) => fileName));
}

function withZip<T>(path: string, use: (zip: ZipFile, archive: Archive) => Promise<T>): Promise<T> {
  return withFile(path, async (file, size) => {
    const archive = { file, path, size };
    const zip = await fromRandomAccessReaderPromise(new CheckedReader(archive), size, {
      autoClose: false,
      strictFileNames: true,
    }).catch((error: unknown) => {
      throw damaged(path, messageOf(error));
    });
    return use(zip, archive);
  });
}

/** The whole directory of the archive. */
async function entriesOf(zip: ZipFile, path: string): Promise<Entry[]> {
  if (zip.entryCount > MOST_ENTRIES) {
    throw damaged(path, `it claims ${zip.entryCount} files, more than a model has`);
  }
  const entries: Entry[] = [];
  const names = new Set<string>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (names.has(entry.fileName)) throw damaged(path, `it holds ${quote(entry.fileName)} twice`);
      names.add(entry.fileName);
      entries.push(entry);
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw damaged(path, messageOf(error));
  }
  return entries;
}

interface Archive {
  readonly file: FileHandle;
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

async function readEntry(
  zip: ZipFile,
  entry: Entry,
  { file, path, size }: Archive,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { compressedSize, uncompressedSize, compressionMethod: method } = entry;
  const refuse = (why: string): FileError => damaged(path, `its ${quote(entry.fileName)} ${why}`);
  if (entry.isEncrypted()) throw refuse("is encrypted");
  if (method !== STORED && method !== DEFLATED) throw refuse(`is compressed by method ${method}`);
  if (uncompressedSize > limit) {
    throw refuse(`claims ${uncompressedSize} bytes, more than the ${limit} allowed`);
  }
  if (uncompressedSize > Math.max(SMALL, compressedSize * LARGEST_EXPANSION)) {
    throw refuse(`claims to become ${uncompressedSize} bytes of ${compressedSize}`);
  }
  const { fileDataStart } = await zip
    .readLocalFileHeaderPromise(entry, { minimal: true })
    .catch((error: unknown) => {
      throw refuse(`cannot be found (${messageOf(error)})`);
    });
  // The library checks this too; nothing is allocated by what only the directory says.
  if (fileDataStart + compressedSize > size) throw refuse("is longer than the archive");
  const stored = new Uint8Array(compressedSize);
  await readFully(file, path, stored, fileDataStart);
  const bytes = method === STORED ? stored : await inflated(stored, uncompressedSize, refuse);
  if (bytes.length !== uncompressedSize) throw refuse(`is not the ${uncompressedSize} bytes it claims`);
  if (crc32(bytes) !== entry.crc32) throw refuse("does not have its checksum");
  return bytes;
}

async function inflated(
  stored: Uint8Array,
  size: number,
  refuse: (why: string) => FileError,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // Ends as soon as there is one byte more. (Zero would mean no limit.)
    const bytes = await promisify(inflateRaw)(stored, { maxOutputLength: Math.max(1, size) });
    return ownMemory(bytes);
  } catch (error) {
    throw refuse(`cannot be inflated to the ${size} bytes it claims (${messageOf(error)})`);
  }
}

/** Small buffers of Node's share one piece of memory, which must not be handed to a thread. */
function ownMemory({ buffer, byteLength, byteOffset }: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(buffer as ArrayBuffer);
  return whole.length === byteLength ? whole : whole.slice(byteOffset, byteOffset + byteLength);
}

/** Reads where the library says, be it beyond the file or beyond what can be counted: Node would throw in its midst. */
class CheckedReader extends RandomAccessReader {
  readonly #archive: Archive;

  constructor(archive: Archive) {
    super();
    this.#archive = archive;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    const { file, path, size } = this.#archive;
    if (!(position >= 0 && position + length <= size)) {
      setImmediate(() => callback(new Error("a part of it lies beyond its end")));
      return;
    }
    readFully(file, path, buffer.subarray(offset, offset + length), position).then(
      () => callback(null, length),
      (error: unknown) => callback(error as Error),
    );
  }
}

function damaged(path: string, why: string): FileError {
  const line = why
    .replace(/\p{Cc}/gu, "?")
    .replace(/\.$/, "")
    .slice(0, 300);
  return new FileError(`Cannot read ${path} as a zip archive: ${line}; copy or save the file anew.`);
}

function quote(name: string): string {
  return JSON.stringify(name.length <= 100 ? name : `${name.slice(0, 97)}...`);
}
