/**
 * @file The elements a MAT-file of level 5 is made of ("MAT-File Format", The MathWorks, chapter 1): a tag that says
 * what type of data follows and how many bytes, the data, and padding to a multiple of eight. Data of at most four
 * bytes lie in the tag itself.
 */
import { endianness } from "node:os";

/** Data types of an element's tag (miINT8 and so on). */
export const INT8 = 1;
export const UINT8 = 2;
export const UINT16 = 4;
export const INT32 = 5;
export const UINT32 = 6;
export const MATRIX = 14;
export const COMPRESSED = 15;
export const UTF8 = 16;
export const UTF16 = 17;

export interface Element {
  readonly type: number;
  /** A view into the file's bytes. */
  readonly data: Buffer;
}

/** A run of elements, read one after another; every fault is an Error of a few words. */
export class Elements {
  /** Whether numbers have their lowest byte first. */
  readonly littleEndian: boolean;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, littleEndian: boolean) {
    this.#bytes = bytes;
    this.littleEndian = littleEndian;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  next(): Element {
    if (this.left < 8) throw new Error("it is truncated");
    const word = this.#uint32(this.#at);
    if (word > 0xffff) {
      const length = word >>> 16;
      if (length > 4) throw new Error(`an element of ${length} bytes claims to be a small one`);
      const start = this.#at + 4;
      this.#at += 8;
      return { type: word & 0xffff, data: this.#bytes.subarray(start, start + length) };
    }
    const start = this.#at + 8;
    const end = start + this.#uint32(this.#at + 4);
    if (end > this.#bytes.length) throw new Error("it is truncated");
    // Compressed data have no padding; the last element may lack its own.
    this.#at =
      word === COMPRESSED ? end : Math.min(start + 8 * Math.ceil((end - start) / 8), this.#bytes.length);
    return { type: word, data: this.#bytes.subarray(start, end) };
  }

  /** The next element, which has to be `what`, of one of these types. */
  expect(what: string, ...types: number[]): Buffer {
    const { type, data } = this.next();
    if (!types.includes(type)) throw new Error(`its ${what} are of type ${type}`);
    return data;
  }

  #uint32(at: number): number {
    return this.littleEndian ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }
}

/** Numbers as the file stores them, 64-bit integers as doubles. */
export type Numbers =
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

type Width = 1 | 2 | 4 | 8;

const NUMBER_TYPES: Record<number, [Width, (buffer: ArrayBuffer) => Numbers]> = {
  1: [1, (buffer) => new Int8Array(buffer)],
  2: [1, (buffer) => new Uint8Array(buffer)],
  3: [2, (buffer) => new Int16Array(buffer)],
  4: [2, (buffer) => new Uint16Array(buffer)],
  5: [4, (buffer) => new Int32Array(buffer)],
  6: [4, (buffer) => new Uint32Array(buffer)],
  7: [4, (buffer) => new Float32Array(buffer)],
  9: [8, (buffer) => new Float64Array(buffer)],
  12: [8, (buffer) => Float64Array.from(new BigInt64Array(buffer), Number)],
  13: [8, (buffer) => Float64Array.from(new BigUint64Array(buffer), Number)],
};

const HOST_IS_LITTLE_ENDIAN = endianness() === "LE";

/** An element's numbers, copied out of the file's bytes. */
export function numbersOf({ type, data }: Element, littleEndian: boolean): Numbers {
  const known = NUMBER_TYPES[type];
  if (known === undefined) throw new Error(`its numbers are of type ${type}`);
  const [width, view] = known;
  if (data.length % width !== 0) throw new Error("its last number is cut off");
  return view(inHostOrder(data, width, littleEndian));
}

/** A copy of the bytes, with those of each number in the order this machine has them. */
function inHostOrder(data: Buffer, width: Width, littleEndian: boolean): ArrayBuffer {
  const { buffer } = new Uint8Array(data);
  if (littleEndian !== HOST_IS_LITTLE_ENDIAN) {
    if (width === 2) Buffer.from(buffer).swap16();
    if (width === 4) Buffer.from(buffer).swap32();
    if (width === 8) Buffer.from(buffer).swap64();
  }
  return buffer;
}
