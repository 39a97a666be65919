/** An uncompressed grey or RGB TIFF of 32-bit numbers, which sharp does not write as they are. */
export function tiffFile(
  width: number,
  channels: 1 | 3,
  kind: "float" | "uint",
  values: readonly number[],
): Buffer {
  const data = Buffer.alloc(4 * values.length);
  values.forEach((value, i) =>
    kind === "float" ? data.writeFloatLE(value, 4 * i) : data.writeUInt32LE(value, 4 * i),
  );
  const height = values.length / channels / width;
  const [SHORT, LONG] = [3, 4];
  const perChannel = (value: number): Buffer =>
    Buffer.concat(new Array<Buffer>(channels).fill(Buffer.of(value, 0)));
  const fields = 10;
  const extra = 8 + 2 + 12 * fields + 4;
  const [bits, format] = [perChannel(32), perChannel(kind === "float" ? 3 : 1)];
  const strip = extra + bits.length + format.length;
  const directory = Buffer.alloc(2 + 12 * fields + 4);
  directory.writeUInt16LE(fields);
  const put = (i: number, tag: number, type: number, count: number, value: number): void => {
    const at = 2 + 12 * i;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    directory.writeUInt32LE(value, at + 8);
  };
  put(0, 256, LONG, 1, width);
  put(1, 257, LONG, 1, height);
  put(2, 258, SHORT, channels, channels === 1 ? 32 : extra);
  put(3, 259, SHORT, 1, 1);
  put(4, 262, SHORT, 1, channels === 1 ? 1 : 2);
  put(5, 273, LONG, 1, strip);
  put(6, 277, SHORT, 1, channels);
  put(7, 278, LONG, 1, height);
  put(8, 279, LONG, 1, data.length);
  put(9, 339, SHORT, channels, channels === 1 ? format[0] : extra + bits.length);
  return Buffer.concat([Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]), directory, bits, format, data]);
}
