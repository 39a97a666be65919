import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** What a file's bytes have to hash to; a git blob's id is the SHA-1 of `blob <bytes>\0` and the bytes. */
export interface Checksum {
  readonly algorithm: "md5" | "git-blob";
  readonly hex: string;
}

/** Size in bytes of a file, or 0 when there is none. */
export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Whether the file is there, has that many bytes where it is known how many, and they have that checksum. */
export async function fileMatches(
  file: string,
  { bytes, checksum }: { bytes?: number; checksum: Checksum },
): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() !== true || info.size !== (bytes ?? info.size)) return false;
  const hash = createHash(checksum.algorithm === "md5" ? "md5" : "sha1");
  if (checksum.algorithm === "git-blob") hash.update(`blob ${info.size}\0`);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex") === checksum.hex;
}
