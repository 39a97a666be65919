import { describe, expect, test } from "vitest";
import { readTar } from "../../scripts/setup/tar.mjs";

/** One entry of a ustar archive: a header block and the contents, padded to whole blocks. */
function entry(name: string, contents: string, type = "0", prefix = ""): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(Buffer.byteLength(contents).toString(8).padStart(11, "0"), 124);
  header.write(type, 156);
  header.write("ustar\x0000", 257, "latin1");
  header.write(prefix, 345);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(contents) / 512) * 512);
  body.write(contents);
  return Buffer.concat([header, body]);
}
const END = Buffer.alloc(1024);

describe("readTar", () => {
  test("reads files and skips folders and extended headers", () => {
    const long = "x".repeat(513);
    const archive = Buffer.concat([
      entry("pax", "11 path=ab\n", "x"),
      entry("folder/", "", "5"),
      entry("a.txt", long),
      entry("b.txt", "", "0", "deep/folder"),
      END,
    ]);
    const files = readTar(archive);
    expect([...files.keys()]).toEqual(["a.txt", "deep/folder/b.txt"]);
    expect(files.get("a.txt")?.toString()).toBe(long);
    expect(files.get("deep/folder/b.txt")).toHaveLength(0);
  });

  test("refuses an archive that was cut off", () => {
    expect(() => readTar(entry("a.txt", "x".repeat(2000)).subarray(0, 1024))).toThrow("damaged");
  });
});
