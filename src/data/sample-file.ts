/**
 * A file of samples of one size. Record i, at byte i · 13 · height · width, is a sample's image (float32, as this machine
 * orders bytes) and mask; records may be missing. Behind the last follows the index, a JSON text, and in the last 48
 * bytes the index's SHA-256, its length and `MAGIC`. Each record's own SHA-256 is in the index, so that damage costs
 * only the sample it hit, and a write that a power cut undid is noticed without forcing anything to disk.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Sample } from "./dataset.ts";
import type { PairContents } from "./pair-contents.ts";
import type { Remark } from "./remarks.ts";
import type { Size } from "./resize.ts";

/** What a sample was made of. */
export interface Origin {
  /** The state of its files. */
  readonly stamp: string;
  /** What was decided when they were read. */
  readonly remarks: readonly Remark[];
  readonly contents: PairContents;
}

/** Where a sample lies and what it was made of. */
export interface SampleRecord extends Origin {
  /** Number of the record. */
  readonly place: number;
  /** SHA-256 of the record's bytes, in hexadecimal. */
  readonly digest: string;
}

/** The records of a file by the samples' ids. */
export type SampleIndex = Map<string, SampleRecord>;

const MAGIC = Buffer.from("bespokes", "latin1");
const TRAILER = 32 + 8 + MAGIC.length;

/**
 * The index of the file at `path`; empty when there is none, or the file is damaged, of another kind, or was
 * written under another key.
 */
export async function readIndex(path: string, key: string): Promise<SampleIndex> {
  try {
    return await withFile(path, async (file) => {
      const { size } = await file.stat();
      const trailer = await readBytes(file, TRAILER, size - TRAILER);
      const length = Number(trailer.readBigUInt64LE(32));
      if (!trailer.subarray(40).equals(MAGIC) || length > size - TRAILER) return new Map();
      const text = await readBytes(file, length, size - TRAILER - length);
      if (!sha256(text).equals(trailer.subarray(0, 32))) return new Map();
      const index = JSON.parse(text.toString("utf8")) as { key: string; records: [string, SampleRecord][] };
      return new Map(index.key === key ? index.records : []);
    });
  } catch {
    return new Map();
  }
}

/** A sample of the file at `path`; undefined when the bytes there are not, or no longer, those of the record. */
export async function readRecord(
  path: string,
  record: SampleRecord,
  { height, width }: Size,
): Promise<Sample | undefined> {
  const pixels = height * width;
  const sample = { height, width, image: new Float32Array(3 * pixels), mask: new Uint8Array(pixels) };
  try {
    await withFile(path, (file) => file.readv(bytesOf(sample), record.place * 13 * pixels));
  } catch {
    return undefined;
  }
  return digestOf(sample) === record.digest ? sample : undefined;
}

/** Writes a sample as record `place` of a file. */
export async function writeRecord(
  file: FileHandle,
  place: number,
  sample: Sample,
  { stamp, remarks, contents }: Origin,
): Promise<SampleRecord> {
  const record = { place, stamp, digest: digestOf(sample), remarks, contents };
  let position = place * 13 * sample.mask.length;
  for (const bytes of bytesOf(sample)) {
    await writeBytes(file, bytes, position);
    position += bytes.length;
  }
  return record;
}

/** Ends a file that has room for `places` samples. */
export async function writeIndex(
  file: FileHandle,
  index: SampleIndex,
  { key, places, imageSize }: { key: string; places: number; imageSize: Size },
): Promise<void> {
  const text = Buffer.from(JSON.stringify({ key, records: [...index] }), "utf8");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeBytes(
    file,
    Buffer.concat([text, sha256(text), length, MAGIC]),
    places * 13 * imageSize.height * imageSize.width,
  );
}

function bytesOf({ image, mask }: Sample): Uint8Array[] {
  return [new Uint8Array(image.buffer, image.byteOffset, image.byteLength), mask];
}

function digestOf(sample: Sample): string {
  const hash = createHash("sha256");
  for (const bytes of bytesOf(sample)) hash.update(bytes);
  return hash.digest("hex");
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, "r");
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, position);
  return bytes;
}

/** `FileHandle.write` may stop short, as when the disk fills up: the next then says why. */
async function writeBytes(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
