import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { BulkError } from "../../src/bulk/bulk-error.ts";
import type { BulkPhoto } from "../../src/bulk/bulk-photo.ts";
import { divideTars } from "../../src/bulk/divide-tars.ts";
import { Stems } from "../../src/bulk/stems.ts";
import { tarPhotos } from "../../src/bulk/tar-photos.ts";
import { writeArchive } from "../../src/bulk/write-archive.ts";
import { folderOf } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { collected } from "./collected.ts";

type Member = readonly [name: string, content: string | Uint8Array, type?: "directory" | "symlink"];

describe("tarPhotos", () => {
  const temporary = temporaryFolder();
  async function tarOf(members: readonly Member[], name = "p.tar"): Promise<string> {
    const archive = pack();
    for (const [name, content, type] of members) {
      if (type === undefined) archive.entry({ name }, content);
      else archive.entry({ name, type, linkname: String(content) });
    }
    archive.finalize();
    await writeFile(temporary(name), Buffer.concat(await collected(archive as AsyncIterable<Uint8Array>)));
    return temporary(name);
  }
  async function photosIn(
    path: string,
    { largest = 1000, dots = true } = {},
  ): Promise<[BulkPhoto[], number]> {
    const { size: bytes } = await stat(path);
    const found = await collected(tarPhotos({ path, bytes }, new Stems({ dots }), { largest }));
    return [
      found.flatMap((found) => (found.kind === "photo" ? [found.photo] : [])),
      found.filter(({ kind }) => kind === "passed-over").length,
    ];
  }

  it("finds the photos of samples, in their order, and counts what else there is", async () => {
    const path = await tarOf([
      ["street/", "", "directory"],
      ["street/b.jpg", "B"],
      ["street/b.json", "{}"],
      ["street/b.seg.png", "no photo of its own"],
      ["a.PNG", "A"],
      ["a.jpg", "AA"],
      ["c.jpg", "a.PNG", "symlink"],
      ["._b.jpg", "of a Mac"],
      ["jpg", "no ending"],
    ]);
    const [photos, passedOver] = await photosIn(path);
    expect(photos.map(({ photo, stem }) => [photo, stem])).toEqual([
      ["p.tar/street/b.jpg", "street/b"],
      ["p.tar/a.PNG", "a"],
      ["p.tar/a.jpg", "a~2"],
    ]);
    expect(await Promise.all(photos.map(async (photo) => (await photo.read()).toString()))).toEqual([
      "B",
      "A",
      "AA",
    ]);
    expect(passedOver).toBe(4);
    // Its bytes are let go.
    await expect(photos[0].read()).rejects.toThrow("was read before");
  });

  it("reads back what is written, with names of any length and letters, twice the same name too", async () => {
    const letter = fc.constantFrom("a", "B", "é", "写", "😀", " ", "~", "-", "'");
    const part = fc.oneof(
      fc.array(letter, { minLength: 1, maxLength: 8 }).map((letters) => letters.join("")),
      fc.integer({ min: 90, max: 240 }).map((length) => "x".repeat(length)),
    );
    const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join("/")}.jpg`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 700 })), { maxLength: 6 }),
        async (members) => {
          const [photos] = await photosIn(await tarOf(members, "any.tar"));
          expect(photos.map(({ photo }) => photo)).toEqual(members.map(([name]) => `any.tar/${name}`));
          for (const [i, photo] of photos.entries())
            expect(new Uint8Array(await photo.read())).toEqual(members[i][1]);
          expect(new Set(photos.map(({ stem }) => stem)).size).toBe(members.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("goes on after a photo that is too large", async () => {
    const [photos] = await photosIn(
      await tarOf([
        ["a.jpg", "x".repeat(2000)],
        ["b.jpg", "B"],
      ]),
    );
    await expect(photos[0].read()).rejects.toThrow(
      /p\.tar\/a\.jpg has 2000 bytes, and 1000 are read at most/,
    );
    expect((await photos[1].read()).toString()).toBe("B");
  });

  it("refuses an archive that is cut short anywhere, that changed, or is none", async () => {
    const path = await tarOf([
      ["a.jpg", "x".repeat(600)],
      ["b.jpg", "y".repeat(600)],
    ]);
    const { size } = await stat(path);
    expect(size).toBe(2 * (512 + 1024) + 1024);
    const whole = await readFile(path);
    // In a header, in a file, between two files and before the end, where nothing is missing but the mark of it.
    for (const bytes of [100, 512, 1000, 1536, 1600, 2048, 3000, 3072]) {
      await writeFile(path, whole);
      await truncate(path, bytes);
      await expect(photosIn(path), String(bytes)).rejects.toThrow(/^The archive .*p\.tar is cut short or/);
    }
    await writeFile(path, Buffer.concat([whole.subarray(0, 200), Buffer.alloc(1), whole.subarray(201)]));
    whole[150] ^= 7;
    await writeFile(path, whole);
    await expect(photosIn(path)).rejects.toThrow(/cut short or damaged \(Invalid tar header/);
    const [shard] = await collected(divideTars([path]));
    await writeFile(path, Buffer.concat([whole, Buffer.alloc(512)]));
    await expect(collected(tarPhotos(shard.tar, new Stems(), { largest: 9 }))).rejects.toThrow(
      /has 4608 bytes, and 4096 when the shards were made/,
    );
    await writeFile(path, Buffer.from([0x1f, 0x8b, 8, 0]));
    await expect(photosIn(path)).rejects.toThrow(BulkError);
    await expect(photosIn(path)).rejects.toThrow(/compressed with gzip/);
    await rm(path);
    await expect(collected(tarPhotos(shard.tar, new Stems(), { largest: 9 }))).rejects.toThrow(BulkError);
  });

  it("ends where the work is ended", async () => {
    const path = await tarOf([
      ["a.jpg", "A"],
      ["b.jpg", "B"],
    ]);
    for await (const found of tarPhotos({ path, bytes: (await stat(path)).size }, new Stems(), {
      largest: 9,
    })) {
      expect(found.kind).toBe("photo");
      break;
    }
    const signal = AbortSignal.abort(new Error("Enough."));
    const photos = tarPhotos({ path, bytes: (await stat(path)).size }, new Stems(), { largest: 9 }, signal);
    await expect(collected(photos)).rejects.toThrow("Enough.");
  });
});

describe("divideTars", () => {
  it("makes a shard of each archive of a pattern, and says which is not there", async () => {
    const folder = await folderOf({ "p-00.tar": "12", "p-01.tar": "123" });
    const shards = await collected(divideTars([`${folder}/p-{00..01}.tar`]));
    expect(shards).toMatchObject([
      { index: 0, tar: { path: `${folder}/p-00.tar`, bytes: 2 } },
      { index: 1, tar: { path: `${folder}/p-01.tar`, bytes: 3 } },
    ]);
    await expect(collected(divideTars([`${folder}/p-{00..02}.tar`]))).rejects.toThrow(
      /p-02\.tar: there is no such file/,
    );
    await expect(collected(divideTars(["https://me:secret@host/p.tar"]))).rejects.toThrow(
      /^https:\/\/host\/p\.tar is a URL, and archives are read from files: download it first\.$/,
    );
  });
});

describe("writeArchive", () => {
  const temporary = temporaryFolder();
  it("writes the same bytes each time, and fails where a file is not there", async () => {
    const folder = await folderOf({
      "a.json": "{}",
      "b/é.png": "x".repeat(3000),
      [`${"n".repeat(150)}.json`]: "",
    });
    const files = ["b/é.png", "a.json", `${"n".repeat(150)}.json`].map((name) => ({
      name,
      bytes: 0,
      sha256: "",
    }));
    const first = await writeArchive(temporary("1.tar"), folder, files);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await writeArchive(temporary("2.tar"), folder, files)).toEqual(first);
    expect(await readFile(temporary("2.tar"))).toEqual(await readFile(temporary("1.tar")));
    expect((await stat(temporary("1.tar"))).size).toBe(first.bytes);
    const none = [...files, { name: "none", bytes: 0, sha256: "" }];
    await expect(writeArchive(temporary("3.tar"), folder, none)).rejects.toThrow(/ENOENT.*none/);
  });
});
