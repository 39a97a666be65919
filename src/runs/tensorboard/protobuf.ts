/**
 * @file The few lines of protobuf's wire format that an event file needs. A message is the concatenation of its fields,
 * each a key (field number and wire type) and a value.
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** An encoded message or part of one. */
export type Encoded = Uint8Array;

/** A message of `fields`, in their order. */
export function message(...fields: readonly Encoded[]): Encoded {
  const whole = new Uint8Array(fields.reduce((bytes, field) => bytes + field.length, 0));
  let offset = 0;
  for (const field of fields) {
    whole.set(field, offset);
    offset += field.length;
  }
  return whole;
}

/** A field of type `int32`, `int64`, `bool` or an enum; a negative number takes ten bytes, as protobuf has it. */
export const intField = (field: number, value: number | bigint): Encoded =>
  message(key(field, VARINT), varint(BigInt(value)));

/** A field of type `double`. */
export const doubleField = (field: number, value: number): Encoded =>
  message(key(field, FIXED64), new Uint8Array(Float64Array.of(value).buffer));

/** A field of type `float`. */
export const floatField = (field: number, value: number): Encoded =>
  message(key(field, FIXED32), new Uint8Array(Float32Array.of(value).buffer));

/** A field of type `bytes` or of a message type. */
export const bytesField = (field: number, value: Uint8Array): Encoded =>
  message(key(field, LENGTH_DELIMITED), varint(BigInt(value.length)), value);

/** A field of type `string`; what is no valid Unicode becomes U+FFFD. */
export const stringField = (field: number, value: string): Encoded =>
  bytesField(field, new TextEncoder().encode(value));

const key = (field: number, wireType: number): Encoded => varint(BigInt((field << 3) | wireType));

function varint(value: bigint): Encoded {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
