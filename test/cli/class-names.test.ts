import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { describe, expect, it, test } from "vitest";
import { parseClassNames, readClassNames } from "../../src/cli/class-names.ts";
import { FileError } from "../../src/files/file-error.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();

describe("parseClassNames", () => {
  it.each([
    ["a JSON array", ' ["null", "a, b"]', ["null", "a, b"]],
    ["one with a byte order mark", '\uFEFF["null"]', ["null"]],
    ["a name a line", "null\r\n\r\n t-shirt \n2 pieces", ["null", "t-shirt", "2 pieces"]],
    ["labels.csv", '\uFEFFlabel,name\n0,null\n1,"hat"\n', ["null", "hat"]],
    ["the same without a header", "0,null\n1,hat\n", ["null", "hat"]],
    ["fields in quotes", '"0","a ""b"", c"\n"1",d\n', ['a "b", c', "d"]],
    ["nothing", "", []],
  ])("takes %s", (_, text, names) => {
    expect(parseClassNames(text, "classes")).toEqual(names);
  });

  it.each([
    ["[1]", "c is not a JSON array of names"],
    ["[", "c is not a JSON array of names"],
    ['["null", ""]', "c has no name for class 1: give it one."],
    ["0,null\n1,", "c has no name for class 1: give it one."],
    ['0,null\n1,""', "c has no name for class 1: give it one."],
    ["0,null\n2,hat", "names class 2 where class 1 should be"],
    ["0,null\nhat\n2,coat", "c does not number all of its names"],
    ["0;null\n1;hat", "c divides numbers from names by a semicolon or a tab"],
    ["label\tname\n0\tnull", "c divides numbers from names by a semicolon or a tab"],
    ["n\0u\0l\0l\0", "c has control characters in the name of class 0"],
  ])("refuses %j", (text, why) => {
    expect(() => parseClassNames(text, "c")).toThrow(FileError);
    expect(() => parseClassNames(text, "c")).toThrow(why);
  });
});

describe("readClassNames", () => {
  test.each([
    ["UTF-16", Buffer.from("\uFEFFnull\r\nhat", "utf16le"), "is not text in UTF-8"],
    ["Latin-1", Buffer.from("d\xe9collet\xe9", "latin1"), "is not text in UTF-8"],
    ["another file", Buffer.alloc(1_000_001), "too large for names of classes"],
  ])("refuses %s", async (name, bytes, why) => {
    await writeFile(inFolder(name), bytes);
    await expect(readClassNames(inFolder(name))).rejects.toThrow(FileError);
    await expect(readClassNames(inFolder(name))).rejects.toThrow(why);
  });

  test.skipIf(process.platform === "win32")("does not wait for a pipe's writer", async () => {
    execFileSync("mkfifo", [inFolder("pipe")]);
    await expect(readClassNames(inFolder("pipe"))).rejects.toThrow("it is not a regular file");
  });
});
