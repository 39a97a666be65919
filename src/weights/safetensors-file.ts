import { writeFileAtomically, type AtomicWriteOptions } from "../files/atomic-write.ts";
import { recogniseFile, refusalOf } from "../files/recognise.ts";
import { readFully, withFile } from "../files/transfer.ts";
import { headerLength, LENGTH_BYTES, parseHeader } from "./safetensors-header.ts";
import { decodeTensor, safetensorsChunks } from "./safetensors.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  /** By name, in the order of the file. */
  readonly tensors: NamedTensors;
  /** Strings that travel with them. */
  readonly metadata: Metadata;
}

/**
 * Reads a safetensors file tensor by tensor, so that no more than the weights themselves is in memory.
 *
 * @throws {FileError} where the file cannot be read or is not valid
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const found = await recogniseFile(path);
  if (found !== undefined && found.format !== "safetensors") throw refusalOf(path, found);
  return withFile(path, async (file, fileBytes) => {
    const start = new Uint8Array(Math.min(LENGTH_BYTES, fileBytes));
    await readFully(file, path, start, 0);
    const json = new Uint8Array(headerLength(start, fileBytes, path));
    await readFully(file, path, json, LENGTH_BYTES);
    const dataStart = LENGTH_BYTES + json.byteLength;
    const { entries, metadata } = parseHeader(json, fileBytes - dataStart, path);
    const tensors: NamedTensors = new Map();
    for (const entry of entries) {
      const bytes = new Uint8Array(entry.end - entry.begin);
      await readFully(file, path, bytes, dataStart + entry.begin);
      tensors.set(entry.name, decodeTensor(entry, bytes));
    }
    return { tensors, metadata };
  });
}

/**
 * Writes a safetensors file atomically and without a second copy of the weights in memory; the tensors must not
 * change until it is done. The folder must exist.
 *
 * @param metadata strings that travel with the weights
 * @throws {FileError} where the file cannot be written or may not be replaced; a file that was there is then
 *   untouched. The signal's reason when it is aborted.
 */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  metadata: Metadata = {},
  options: AtomicWriteOptions = {},
): Promise<void> {
  await writeFileAtomically(path, safetensorsChunks(tensors, metadata), options);
}
