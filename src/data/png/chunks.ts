import { crc32 } from "../../files/crc32.ts";

/** A piece of a PNG: four letters and bytes, a view into the file. */
export interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export const isPng = (file: Buffer): boolean => file.subarray(0, SIGNATURE.length).equals(SIGNATURE);

/**
 * The chunks of a PNG (PNG specification, third edition, §5), each with the checksum it should have, up to `IEND`, behind
 * which nothing may follow.
 * @throws Error of a few words when the file is truncated or damaged.
 */
export function* chunksOf(file: Buffer): Generator<Chunk> {
  for (let at = SIGNATURE.length; ;) {
    if (at + 12 > file.length) throw new Error("it is truncated");
    const end = at + 8 + file.readUInt32BE(at);
    if (end + 4 > file.length) throw new Error("it is truncated");
    const type = file.toString("latin1", at + 4, at + 8);
    if (crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end)) {
      throw new Error(`the checksum of its chunk ${JSON.stringify(type)} at byte ${at} is wrong`);
    }
    yield { type, data: file.subarray(at + 8, end) };
    at = end + 4;
    if (type !== "IEND") continue;
    if (at < file.length) throw new Error(`${file.length - at} bytes follow its end`);
    return;
  }
}
