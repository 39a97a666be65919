/**
 * @file The header of a safetensors file (https://github.com/huggingface/safetensors#format).
 *
 * ```text
 * 8 bytes   N, the header's length, unsigned little-endian
 * N bytes   JSON: { "__metadata__": {string: string}, NAME: { dtype, shape, data_offsets: [begin, end] }, … }
 * the rest  the tensors' bytes, little-endian, row-major; offsets count from here, without gap or overlap
 * ```
 *
 * Nothing here touches the data, and nothing is allocated by a size that a file merely claims.
 */
import { parseForeignJson } from "../files/json.ts";
import { elementCount, formatShape, type Metadata } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";
import { messageOf } from "../message-of.ts";

/**
 * The element types read, with their bytes; `F16` and `BF16` are widened to 32 bits, `I64`, in which PyTorch counts
 * batches, is narrowed.
 */
export const SAFETENSORS_DTYPES = { F32: 4, I32: 4, U32: 4, I64: 8, F16: 2, BF16: 2 } as const;
export type SafetensorsDtype = keyof typeof SAFETENSORS_DTYPES;

/** One tensor of the header; `begin` and `end` in bytes from the start of the data. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes in the file. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Metadata;
}

/** Bytes of the length that precedes the header. */
export const LENGTH_BYTES = 8;
/** A tenth of what the reference implementation allows: as objects, 100 MB of small tensors take 2 GB of memory. */
const LONGEST_HEADER = 10_000_000;
const METADATA_KEY = "__metadata__";

/**
 * The header's length from the first bytes of a file.
 *
 * @param start at least the first 8 bytes, or the whole file where it is shorter
 * @param fileBytes the size of the whole file
 */
export function headerLength(start: Uint8Array, fileBytes: number, source: string): number {
  if (start.byteLength < LENGTH_BYTES) {
    throw damaged(source, `it has ${start.byteLength} bytes, fewer than the shortest header`);
  }
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(LONGEST_HEADER)) {
    throw damaged(source, `its header claims ${length} bytes, more than the ${LONGEST_HEADER} allowed`);
  }
  if (length > BigInt(fileBytes - LENGTH_BYTES)) {
    throw damaged(source, `its header claims ${length} bytes and the file has only ${fileBytes}`);
  }
  return Number(length);
}

/**
 * Reads and checks the header's JSON.
 *
 * @param json the header without its length
 * @param dataBytes how many bytes follow it
 * @throws {WeightsError} where a field is not what the format says, a shape does not fit its bytes, or the
 *   tensors do not cover the data exactly once
 */
export function parseHeader(json: Uint8Array, dataBytes: number, source: string): SafetensorsHeader {
  let parsed: unknown;
  try {
    parsed = parseForeignJson(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (error) {
    throw damaged(source, `its header is not JSON (${messageOf(error)})`);
  }
  if (!isRecord(parsed)) throw damaged(source, "its header is not a JSON object");

  const entries: SafetensorsEntry[] = [];
  let metadata: Metadata = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (name === METADATA_KEY) metadata = parseMetadata(value, source);
    else entries.push(parseEntry(name, value, source));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes, source);
  return { entries, metadata };
}

/** The bytes before the data: length and JSON, padded with spaces so that the data starts at a multiple of 8. */
export function encodeHeader({ entries, metadata }: SafetensorsHeader): Uint8Array {
  // Put together as text: an object would lose a tensor named "__proto__".
  const members = entries.map(({ name, dtype, shape, begin, end }) => {
    if (name === METADATA_KEY)
      throw new WeightsError(`A tensor cannot be named "${METADATA_KEY}"; rename it.`);
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
  });
  // In the order of the keys, so that the same model is the same file whichever way it came.
  const sorted = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (Object.keys(sorted).length > 0) members.unshift(`"${METADATA_KEY}":${JSON.stringify(sorted)}`);
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > LONGEST_HEADER) {
    throw new WeightsError(`A safetensors header of ${length} bytes is over the limit; save fewer tensors.`);
  }
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

function parseMetadata(value: unknown, source: string): Metadata {
  if (!isRecord(value)) throw damaged(source, `its ${METADATA_KEY} is not a JSON object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw damaged(source, `its metadata ${quote(key)} is not a string`);
  }
  return value as Metadata;
}

function parseEntry(name: string, value: unknown, source: string): SafetensorsEntry {
  const tensor = `its tensor ${quote(name)}`;
  if (!isRecord(value)) throw damaged(source, `${tensor} is not described by a JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") throw damaged(source, `${tensor} has no dtype`);
  if (!isSupported(dtype)) {
    throw new WeightsError(
      `Cannot read ${source}: ${tensor} holds ${quote(dtype)} numbers; ` +
        `save it as one of ${Object.keys(SAFETENSORS_DTYPES).join(", ")}.`,
    );
  }
  if (!isCounts(shape)) throw damaged(source, `${tensor} has no valid shape`);
  const elements = elementCount(shape);
  if (elements === undefined) throw damaged(source, `${tensor} claims more elements than can be counted`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw damaged(source, `${tensor} has no valid data_offsets`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = elements * SAFETENSORS_DTYPES[dtype];
  if (end - begin !== bytes) {
    const claim = `${dtype} of shape ${clip(formatShape(shape))}`;
    throw damaged(source, `${tensor} is ${claim}, ${bytes} bytes, and its data_offsets span ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: readonly SafetensorsEntry[], dataBytes: number, source: string): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (end > dataBytes) {
      throw damaged(source, `its tensor ${quote(name)} ends at byte ${end} of ${dataBytes} bytes of data`);
    }
    if (begin !== covered) {
      const what = begin < covered ? "overlaps the one before it" : "leaves a gap before it";
      throw damaged(source, `its tensor ${quote(name)} at byte ${begin} ${what}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw damaged(source, `${dataBytes - covered} bytes at its end belong to no tensor`);
  }
}

function isSupported(dtype: string): dtype is SafetensorsDtype {
  return Object.hasOwn(SAFETENSORS_DTYPES, dtype);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

function damaged(source: string, why: string): WeightsError {
  return new WeightsError(`Cannot read ${source} as safetensors: ${why}; copy or save the file anew.`);
}

/** A name from a file in a message: quoted, and short whatever its length. */
function quote(name: string): string {
  return clip(JSON.stringify(name));
}

function clip(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}
