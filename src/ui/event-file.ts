import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** What a TensorBoard event file says of one step, as far as the page needs it. */
export interface LoggedStep {
  readonly step: number;
  /** Numbers by their tag. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Where in the file the PNGs lie, by their tag. */
  readonly images: Readonly<Record<string, { readonly offset: number; readonly length: number }>>;
  /** What was said before of this step and later ones holds no more. */
  readonly restart: boolean;
}

/** A length and its checksum before a record, a checksum after it. */
const BEFORE = 12;
const AFTER = 4;
/** A longer record is none of ours. */
const LONGEST = 256 * 2 ** 20;

/**
 * Reads the whole records of an event file from byte `from` on, and where the next one will begin: a file that is still
 * being written ends in half a record now and then. Nothing is checked but lengths, as the file is this project's own.
 */
export async function readEvents(path: string, from: number): Promise<{ steps: LoggedStep[]; next: number }> {
  const file = await open(path, "r");
  try {
    const steps: LoggedStep[] = [];
    const { size } = await file.stat();
    let next = from;
    while (next + BEFORE <= size) {
      const length = Number((await bytesAt(file, next, 8)).readBigUInt64LE());
      if (length > LONGEST || next + BEFORE + length + AFTER > size) break;
      steps.push(parseEvent(await bytesAt(file, next + BEFORE, length), next + BEFORE));
      next += BEFORE + length + AFTER;
    }
    return { steps, next };
  } finally {
    await file.close();
  }
}

/** Part of a file. @throws Error when the file is shorter. */
export async function bytesAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) throw new Error("The file ends before the part that was asked for.");
    read += bytesRead;
  }
  return bytes;
}

/** One field of a protobuf message: a number, or where its bytes lie in the buffer. */
interface Field {
  readonly number: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** `Event` (see `src/runs/tensorboard/event.ts`); `at` is where `bytes` begins in the file. */
function parseEvent(bytes: Buffer, at: number): LoggedStep {
  let step = 0;
  let restart = false;
  const scalars: Record<string, number> = {};
  const images: Record<string, { offset: number; length: number }> = {};
  for (const field of fieldsOf(bytes, 0, bytes.length)) {
    if (field.number === 2) step = field.value;
    if (field.number === 7) restart = true;
    if (field.number !== 5) continue;
    for (const value of fieldsOf(bytes, field.start, field.end)) {
      let tag = "";
      for (const part of fieldsOf(bytes, value.start, value.end)) {
        if (part.number === 1) tag = bytes.toString("utf8", part.start, part.end);
        if (part.number === 2) scalars[tag] = bytes.readFloatLE(part.start);
        if (part.number !== 4) continue;
        const png = [...fieldsOf(bytes, part.start, part.end)].find(({ number }) => number === 4);
        if (png) images[tag] = { offset: at + png.start, length: png.end - png.start };
      }
    }
  }
  return { step, scalars, images, restart };
}

/** The fields of the message in `bytes[start, end)`, in protobuf's wire format. */
function* fieldsOf(bytes: Buffer, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < end; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < end) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) {
      yield { number, value: varint(), start: at, end: at };
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint() : end - at;
    yield { number, value: 0, start: at, end: Math.min(end, at + length) };
    at += length;
  }
}
