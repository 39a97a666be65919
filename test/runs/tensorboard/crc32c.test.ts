import { describe, expect, it } from "vitest";
import { crc32c } from "../../../src/runs/tensorboard/crc32c.ts";
import { maskedCrc32c, tfRecord } from "../../../src/runs/tensorboard/tf-record.ts";

const bytes = (value: (i: number) => number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => value(i));

describe("crc32c", () => {
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  it.each([
    ["32 zeros", bytes(() => 0), 0x8a9136aa],
    ["32 ones", bytes(() => 0xff), 0x62a8ab43],
    ["0 to 31", bytes((i) => i), 0x46dd794e],
    ["31 to 0", bytes((i) => 31 - i), 0x113fdb5c],
    ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ])("of %s is the published one", (_, data, expected) => expect(crc32c(data)).toBe(expected));
});

describe("tfRecord", () => {
  it("is the record TensorFlow writes", () => {
    // The record b"foo" as TensorBoard's own writer makes it.
    const record = tfRecord(new TextEncoder().encode("foo"));
    expect(Buffer.from(record).toString("hex")).toBe("0300000000000000" + "b099490e" + "666f6f" + "618abefe");
  });

  it("masks a checksum by turning and shifting it", () => {
    const data = new TextEncoder().encode("123456789");
    // ((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8, modulo 2^32
    expect(maskedCrc32c(data)).toBe((0x2507c60d + 0xa282ead8) % 2 ** 32);
  });
});
