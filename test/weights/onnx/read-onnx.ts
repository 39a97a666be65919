import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A protobuf message by the numbers of its fields. */
export type Fields = Map<number, (Uint8Array | number)[]>;

/** Takes a message apart; numbers are read as integers, a float as its four bytes. */
export function readMessage(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value = readValue(reader, type);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

function readValue(reader: BinaryReader, type: WireType): Uint8Array | number {
  if (type === WireType.Varint) return Number(reader.int64());
  if (type === WireType.Bit32) return reader.float();
  if (type === WireType.LengthDelimited) return reader.bytes();
  throw new Error(`A field of wire type ${type}.`);
}

export const messagesOf = (fields: Fields, field: number): Fields[] =>
  (fields.get(field) ?? []).map((bytes) => readMessage(bytes as Uint8Array));

export const textsOf = (fields: Fields, field: number): string[] =>
  (fields.get(field) ?? []).map((bytes) => new TextDecoder().decode(bytes as Uint8Array));
