import { maskedCrc32c } from "../../../src/runs/tensorboard/tf-record.ts";

/** A decoded message: the values of each field, in order. */
export type Fields = Map<number, (bigint | number | Uint8Array)[]>;

/** Takes a TFRecord file apart and checks every length and checksum. */
export function readRecords(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const records: Uint8Array[] = [];
  for (let offset = 0; offset < file.length;) {
    const length = Number(view.getBigUint64(offset, true));
    const end = offset + 12 + length;
    if (view.getUint32(offset + 8, true) !== maskedCrc32c(file.subarray(offset, offset + 8)))
      throw new Error(`The length at byte ${offset} has a wrong checksum.`);
    if (end + 4 > file.length) throw new Error(`The record at byte ${offset} is cut off.`);
    const data = file.subarray(offset + 12, end);
    if (view.getUint32(end, true) !== maskedCrc32c(data))
      throw new Error(`The record at byte ${offset} has a wrong checksum.`);
    records.push(data);
    offset = end + 4;
  }
  return records;
}

/** Takes a protobuf message apart; `wireTypes` 1 and 5 are read as `double` and `float`. */
export function decode(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  };
  const take = (length: number): number => (offset += length) - length;
  while (offset < bytes.length) {
    const key = Number(varint());
    const wireType = key & 7;
    const value =
      wireType === 0
        ? varint()
        : wireType === 1
          ? view.getFloat64(take(8), true)
          : wireType === 5
            ? view.getFloat32(take(4), true)
            : (() => {
                const length = Number(varint());
                const start = take(length);
                return bytes.subarray(start, start + length);
              })();
    const field = key >> 3;
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  if (offset !== bytes.length) throw new Error("The message ends in the middle of a field.");
  return fields;
}

export interface ReadValue {
  tag: string;
  plugin?: string;
  scalar?: number;
  image?: { height: bigint; width: bigint; channels: bigint; png: Uint8Array };
  text?: string;
}

export interface ReadEvent {
  wallTime: number;
  step: bigint;
  version?: string;
  /** Whether it is a `SessionLog` with status START. */
  start: boolean;
  values: ReadValue[];
}

const utf8 = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);
const inner = (fields: Fields, field: number): Fields => decode(fields.get(field)![0] as Uint8Array);

export function readEvents(file: Uint8Array): ReadEvent[] {
  return readRecords(file).map((record) => {
    const event = decode(record);
    const values = event.has(5) ? (inner(event, 5).get(1) ?? []) : [];
    return {
      wallTime: event.get(1)![0] as number,
      step: event.get(2)![0] as bigint,
      version: event.has(3) ? utf8(event.get(3)![0]) : undefined,
      start: event.has(7) && inner(event, 7).get(1)![0] === 1n,
      values: values.map((value) => readValue(decode(value as Uint8Array))),
    };
  });
}

function readValue(value: Fields): ReadValue {
  const read: ReadValue = {
    tag: utf8(value.get(1)![0]),
  };
  if (value.has(9)) read.plugin = utf8(inner(inner(value, 9), 1).get(1)![0]);
  if (value.has(2)) read.scalar = value.get(2)![0] as number;
  if (value.has(4)) {
    const [height, width, channels, png] = [1, 2, 3, 4].map((field) => inner(value, 4).get(field)![0]);
    read.image = { height, width, channels, png } as ReadValue["image"];
  }
  if (value.has(8)) read.text = utf8(inner(value, 8).get(8)![0]);
  return read;
}
