import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { divideList, LONGEST_LINE } from "../../src/bulk/divide-list.ts";
import type { ListShard } from "../../src/bulk/shard.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { collected } from "./collected.ts";

describe("divideList", () => {
  const temporary = temporaryFolder();
  const divided = async (content: string | Uint8Array, size: number): Promise<ListShard[]> => {
    const file = temporary("list.txt");
    await writeFile(file, content);
    return collected(divideList(file, { size }));
  };

  it("puts every line into exactly one shard, whatever the size", async () => {
    const line = fc.oneof(
      fc.constantFrom("", "  ", "# a comment", "a.jpg", "\ta b.png", '{"Key": "x"}', "é/ü.webp"),
      fc.string().map((text) => text.replaceAll("\n", "")),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 60 }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (lines, end, endsWithLine, size) => {
          const text = lines.join(end) + (endsWithLine ? end : "");
          const bytes = Buffer.from(text);
          const shards = await divided(bytes, size);
          const said = text.split("\n").filter((line) => !/^[ \t\r]*$|^#/.test(line));
          expect(shards.map(({ list }) => list.entries)).toEqual(
            Array.from({ length: Math.ceil(said.length / size) }, (_, i) =>
              Math.min(size, said.length - i * size),
            ),
          );
          let to = 0;
          const found: string[] = [];
          for (const [i, { index, list }] of shards.entries()) {
            expect(index).toBe(i);
            expect(list.from).toBe(to);
            ({ to } = list);
            const own = bytes.subarray(list.from, list.to);
            expect(list.line).toBe(bytes.subarray(0, list.from).toString().split("\n").length);
            expect(list.sha256).toBe(createHash("sha256").update(own).digest("hex"));
            found.push(
              ...own
                .toString()
                .split("\n")
                .filter((line) => !/^[ \t\r]*$|^#/.test(line)),
            );
          }
          expect(found).toEqual(said);
          if (said.length > 0) expect(to).toBe(bytes.length);
          expect(new Set(shards.map(({ id }) => id)).size).toBe(shards.length);
        },
      ),
    );
  });

  it("divides a list that is longer than what is read at once", async () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `folder/${"x".repeat(i % 50)}/${i}.jpg\n`).join(
      "",
    );
    const shards = await divided(text, 999);
    expect(shards).toHaveLength(101);
    const bytes = await readFile(temporary("list.txt"));
    for (const { list } of [shards[0], shards[40], shards[100]]) {
      const lines = bytes.subarray(list.from, list.to).toString().split("\n");
      expect(lines.length - 1).toBe(list.entries);
      expect(lines[0]).toMatch(new RegExp(`/${list.line - 1}\\.jpg$`));
    }
  });

  it("gives a shard whose lines stay the same the same id", async () => {
    const before = await divided("a.jpg\nb.jpg\nc.jpg\n", 2);
    const after = await divided("a.jpg\nb.jpg\nc.jpg\nd.jpg\n", 2);
    expect(after[0]).toEqual(before[0]);
    expect(after[1].id).not.toBe(before[1].id);
    expect(before[0].id).toMatch(/^shard-000000-[0-9a-f]{16}$/);
    expect(before[0].list.root).toBe(dirname(temporary("list.txt")));
  });

  it("passes over the mark of UTF-8 before a comment", async () => {
    expect(await divided("\uFEFF# photos\na.jpg\n", 5)).toMatchObject([
      { list: { from: 0, line: 1, entries: 1 } },
    ]);
  });

  it("refuses what is no list", async () => {
    await expect(divided(Buffer.from("\uFEFFa.jpg\n", "utf16le"), 2)).rejects.toThrow(
      /list\.txt is in UTF-16: give a list in UTF-8/,
    );
    await expect(divided(Buffer.from([0x1f, 0x8b, 8, 0]), 2)).rejects.toThrow(/compressed with gzip/);
    await expect(divided(`a.jpg\n${"x".repeat(2 * 2 ** 20)}`, 2)).rejects.toThrow(
      new RegExp(`no end of a line within ${LONGEST_LINE} bytes behind byte 6:`),
    );
    await expect(collected(divideList(temporary("none"), { size: 2 }))).rejects.toThrow(/no such file/);
  });
});
