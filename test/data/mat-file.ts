import { deflateSync } from "node:zlib";

/** A writer of MAT-files of level 5, for tests: every kind of number and text, either byte order, small elements. */
export interface MatOptions {
  littleEndian?: boolean;
  compressed?: boolean;
}

export type Encode = (littleEndian: boolean) => Buffer;

const WRITERS = {
  int8: [1, 1, (b: Buffer, v: number, at: number) => b.writeInt8(v, at)],
  uint8: [2, 1, (b: Buffer, v: number, at: number) => b.writeUInt8(v, at)],
  int16: [
    3,
    2,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeInt16LE(v, at) : b.writeInt16BE(v, at)),
  ],
  uint16: [
    4,
    2,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeUInt16LE(v, at) : b.writeUInt16BE(v, at)),
  ],
  int32: [
    5,
    4,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeInt32LE(v, at) : b.writeInt32BE(v, at)),
  ],
  uint32: [
    6,
    4,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeUInt32LE(v, at) : b.writeUInt32BE(v, at)),
  ],
  single: [
    7,
    4,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeFloatLE(v, at) : b.writeFloatBE(v, at)),
  ],
  double: [
    9,
    8,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeDoubleLE(v, at) : b.writeDoubleBE(v, at)),
  ],
  int64: [
    12,
    8,
    (b: Buffer, v: number, at: number, le: boolean) =>
      le ? b.writeBigInt64LE(BigInt(v), at) : b.writeBigInt64BE(BigInt(v), at),
  ],
  uint64: [
    13,
    8,
    (b: Buffer, v: number, at: number, le: boolean) =>
      le ? b.writeBigUInt64LE(BigInt(v), at) : b.writeBigUInt64BE(BigInt(v), at),
  ],
  utf8: [16, 1, (b: Buffer, v: number, at: number) => b.writeUInt8(v, at)],
  utf16: [
    17,
    2,
    (b: Buffer, v: number, at: number, le: boolean) => (le ? b.writeUInt16LE(v, at) : b.writeUInt16BE(v, at)),
  ],
} as const;

export type Storage = keyof typeof WRITERS;
export const NUMBER_STORAGES = Object.keys(WRITERS).filter((name) => !name.startsWith("utf")) as Storage[];

/** An element; data of up to four bytes go into the tag unless `small` is false. */
export function element(type: number, data: Buffer, littleEndian: boolean, small = data.length <= 4): Buffer {
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (littleEndian) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  };
  if (small) {
    return Buffer.concat([word((data.length << 16) | type), data, Buffer.alloc(4 - data.length)]);
  }
  const padding = type === 15 ? 0 : (8 - (data.length % 8)) % 8;
  return Buffer.concat([word(type), word(data.length), data, Buffer.alloc(padding)]);
}

function stored(storage: Storage, values: readonly number[], littleEndian: boolean): Buffer {
  const [type, width, write] = WRITERS[storage];
  const data = Buffer.alloc(values.length * width);
  values.forEach((value, i) => write(data, value, i * width, littleEndian));
  return element(type, data, littleEndian, data.length > 0 && data.length <= 4);
}

function matrix(flags: number, dims: readonly number[], name: string, content: Encode): Encode {
  return (littleEndian) =>
    element(
      14,
      Buffer.concat([
        stored("uint32", [flags, 0], littleEndian),
        stored("int32", dims, littleEndian),
        element(1, Buffer.from(name, "latin1"), littleEndian, name.length > 0 && name.length <= 4),
        content(littleEndian),
      ]),
      littleEndian,
      false,
    );
}

/** A numeric array, column by column; `flags` is its class (double by default) and its bits. */
export function numbers(
  name: string,
  dims: readonly number[],
  values: readonly number[],
  storage: Storage = "uint8",
  flags = 6,
): Encode {
  return matrix(flags, dims, name, (littleEndian) => stored(storage, values, littleEndian));
}

/** A mask's matrix: `rows[y][x]` is the class. */
export function groundtruth(rows: readonly (readonly number[])[], storage?: Storage): Encode {
  const [height, width] = [rows.length, rows[0].length];
  const columns = Array.from({ length: height * width }, (_, i) => rows[i % height][Math.floor(i / height)]);
  return numbers("groundtruth", [height, width], columns, storage);
}

export function text(
  name: string,
  letters: string,
  storage: "uint16" | "utf8" | "utf16" | "uint8" = "uint16",
): Encode {
  const units =
    storage === "utf8"
      ? [...Buffer.from(letters)]
      : Array.from({ length: letters.length }, (_, i) => letters.charCodeAt(i));
  return matrix(4, [1, letters.length], name, (littleEndian) => stored(storage, units, littleEndian));
}

export function cells(
  name: string,
  content: readonly Encode[],
  dims: readonly number[] = [1, content.length],
): Encode {
  return matrix(1, dims, name, (littleEndian) => Buffer.concat(content.map((cell) => cell(littleEndian))));
}

export function matFile(variables: readonly Encode[], options: MatOptions = {}): Buffer {
  const { littleEndian = true, compressed = true } = options;
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file, written by a test");
  if (littleEndian) header.writeUInt16LE(0x100, 124);
  else header.writeUInt16BE(0x100, 124);
  header.write(littleEndian ? "IM" : "MI", 126, "latin1");
  const elements = variables.map((variable) => variable(littleEndian));
  return Buffer.concat([
    header,
    ...elements.map((bytes) => (compressed ? element(15, deflateSync(bytes), littleEndian, false) : bytes)),
  ]);
}
