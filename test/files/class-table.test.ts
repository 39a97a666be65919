import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { describe, expect, it, test } from "vitest";
import { parseClassTable, readClassTable } from "../../src/files/class-table.ts";
import type { NamedClass } from "../../src/files/class-table.ts";
import { FileError } from "../../src/files/file-error.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const inFolder = temporaryFolder();

const pairs = (named: readonly NamedClass[]): [number, string][] =>
  named.map(({ label, name }) => [label, name]);
const inOrder = (...names: string[]): [number, string][] => names.map((name, label) => [label, name]);

describe("parseClassTable", () => {
  it.each([
    ["a JSON array", ' ["null", " a, b "]', inOrder("null", "a, b")],
    ["one with a byte order mark", '\uFEFF["null"]', inOrder("null")],
    ["a name a line", "null\r\n\r\n t-shirt \n2 pieces", inOrder("null", "t-shirt", "2 pieces")],
    ["names in quotes", '"null"\n"hat, or ""cap"""', inOrder("null", 'hat, or "cap"')],
    ["numbers for names", "3\n1\n", inOrder("3", "1")],
    ["labels.csv", '\uFEFFlabel,name\n0,null\n1,"hat"\n', inOrder("null", "hat")],
    ["the same without a header", "0,null\n1,hat\n", inOrder("null", "hat")],
    ["a header without a first word", ",label_list\n0,null\n", inOrder("null")],
    ["a header alone", "label,name\n", []],
    ["fields in quotes", '"0","a ""b"", c"\n"1",d\n', inOrder('a "b", c', "d")],
    ["spaces around fields", ' 0 , " null " \n 1 ,\that\t', inOrder("null", "hat")],
    ["gaps, in any order", "2,coat\n0,null\n", [[2, "coat"] as [number, string], [0, "null"]]],
    ["semicolons", "label;name\n0;null, or none\n1;hat\n", inOrder("null, or none", "hat")],
    ["tabs", "label\tname\n0\tnull\n1\that\n", inOrder("null", "hat")],
    ["CR alone", "label,name\r0,null\r1,hat\r", inOrder("null", "hat")],
    ["a spreadsheet's empty columns", "label,name,,\n0,null,,\n", inOrder("null")],
    ["nothing", "", []],
  ])("takes %s", (_, text, names) => {
    expect(pairs(parseClassTable(text, "c"))).toEqual(names);
  });

  it.each([
    ["[1]", "c is not a JSON array of names"],
    ["[", "c begins as a JSON array and is none"],
    ['["null", ""]', "c, element 1, has no name for class 1: give it one."],
    ['["null", "null "]', 'c, element 1, calls class 1 "null", as class 0 is called'],
    ["label,name\n\n0,null\n1,", "c, line 4, has no name for class 1: give it one."],
    ['0,null\n1," "', "c, line 2, has no name for class 1: give it one."],
    ["0,null\n0,hat", "c, line 2, names class 0 again: name each class once."],
    ["0,null\n1,hat\n2, hat", 'c, line 3, calls class 2 "hat", as class 1 is called'],
    ["hat\nhat", 'c, line 2, calls class 1 "hat", as class 0 is called'],
    ["0,null\nhat\n2,coat", 'c, line 2, is "hat": write a class number, a comma and a name'],
    ["hat\n0,null", 'c, line 1, is "hat"'],
    ["0,null\n1;hat", 'c, line 2, is "1;hat"'],
    ["0,null,#000\n", 'c, line 1, is "0,null,#000"'],
    ["-1,null\n0,hat", 'c, line 1, is "-1,null"'],
    ["hat\ncap, or hat", 'c, line 1, is "hat"'],
    ['0,null\n1,"hat', "c, line 2, has quotes that do not enclose a whole field"],
    ['0,null\n1,12" hat', "c, line 2, has quotes that do not enclose a whole field"],
    ["n\0u\0l\0l\0", "c, line 1, has control characters in the name of class 0"],
  ])("refuses %j", (text, why) => {
    expect(() => parseClassTable(text, "c")).toThrow(FileError);
    expect(() => parseClassTable(text, "c")).toThrow(why);
  });
});

describe("readClassTable", () => {
  const utf16 = Buffer.from("\uFEFF0,null\r\n1,décolleté", "utf16le");
  test.each([
    ["UTF-8", Buffer.from("0,null\n1,décolleté")],
    ["UTF-16, little-endian", utf16],
    ["UTF-16, big-endian", Buffer.from(utf16).swap16()],
  ])("takes %s", async (name, bytes) => {
    await writeFile(inFolder(name), bytes);
    expect(pairs(await readClassTable(inFolder(name)))).toEqual(inOrder("null", "décolleté"));
  });

  test.each([
    [
      "Latin-1",
      Buffer.from("0,null\n1,d\xe9collet\xe9", "latin1"),
      'is not text in UTF-8 (line 2, "1,d\uFFFDcollet\uFFFD")',
    ],
    ["half a UTF-16", utf16.subarray(0, 9), "is not text in UTF-16, as its first bytes claim"],
    ["another file", Buffer.alloc(1_000_001), "too large for names of classes"],
    [
      "a pointer",
      "version https://git-lfs.github.com/spec/v1\noid",
      "it is a git-lfs pointer, not the file itself",
    ],
  ])("refuses %s", async (name, bytes, why) => {
    await writeFile(inFolder(name), bytes);
    await expect(readClassTable(inFolder(name))).rejects.toThrow(FileError);
    await expect(readClassTable(inFolder(name))).rejects.toThrow(why);
  });

  test.skipIf(process.platform === "win32")("does not wait for a pipe's writer", async () => {
    execFileSync("mkfifo", [inFolder("pipe")]);
    await expect(readClassTable(inFolder("pipe"))).rejects.toThrow("it is not a regular file");
  });
});
