import { crc32c } from "./crc32c.ts";

/**
 * A checksum as TFRecord files hold it: rotated and shifted, because the CRC of data that holds its own CRC says little
 * (`masked_crc32_of_..` in TensorFlow's `core/lib/hash/crc32c.h`).
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * `data` framed as one record of a TFRecord file: its length (u64), the length's checksum (u32), the data, the data's
 * checksum (u32), all little-endian.
 */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}
