import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BulkPhoto } from "../../src/bulk/bulk-photo.ts";
import { divideList } from "../../src/bulk/divide-list.ts";
import { WebPhotos } from "../../src/bulk/fetch-photo.ts";
import { listPhotos } from "../../src/bulk/list-photos.ts";
import { shardsOf } from "../../src/bulk/shards-of.ts";
import { Stems } from "../../src/bulk/stems.ts";
import { folderOf } from "../data/folder.ts";
import { collected } from "./collected.ts";

async function photosOf(list: string, root?: string): Promise<[BulkPhoto[], number]> {
  const [{ list: range }] = await collected(divideList(list, { size: 100, root }));
  const found = await collected(listPhotos(range, { stems: new Stems(), web: new WebPhotos() }));
  return [
    found.flatMap((item) => (item.kind === "photo" ? [item.photo] : [])),
    found.filter(({ kind }) => kind === "passed-over").length,
  ];
}

describe("listPhotos", () => {
  it("finds paths relative to the list, to a root, and absolute ones", async () => {
    const folder = await folderOf({ "lists/a.jpg": "beside", "root/a.jpg": "below", "root/b/c.jpg": "deep" });
    const list = join(await folderOf({ "l.txt": `a.jpg\n# none\n\n${folder}/root/b/c.jpg\n` }), "l.txt");
    const [photos] = await photosOf(list, join(folder, "root"));
    expect(photos.map(({ photo, line, stem }) => [photo, line, stem])).toEqual([
      ["a.jpg", 1, "a"],
      [`${folder}/root/b/c.jpg`, 4, `${folder.slice(1)}/root/b/c`],
    ]);
    expect(await Promise.all(photos.map(async (photo) => (await photo.read()).toString()))).toEqual([
      "below",
      "deep",
    ]);
    const [[beside]] = await photosOf(join(await listIn(folder, "../lists/a.jpg\n")));
    expect([(await beside.read()).toString(), beside.stem]).toEqual(["beside", "lists/a"]);
  });

  it("asks for the keys of a bucket at its URL", async () => {
    const asked: string[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(url!);
      response.end("photo");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`;
      const folder = await folderOf();
      const text =
        "2026-01-31 12:00:00  9 street/a b#1?.jpg\n" +
        '2026-01-31 12:00:00  9 street/labels.csv\n{"Key": "é.png"}\n./x.jpg\n';
      const [photos, passedOver] = await photosOf(await listIn(folder, text), root);
      for (const photo of photos) expect((await photo.read()).toString()).toBe("photo");
      expect(asked).toEqual(["/bucket/street/a%20b%231%3F.jpg", "/bucket/%C3%A9.png", "/bucket/x.jpg"]);
      expect(photos[0].photo).toBe(`${root}/street/a%20b%231%3F.jpg`);
      expect(passedOver).toBe(1);
    } finally {
      server.close();
    }
  });

  it("refuses a root that holds a secret", async () => {
    const list = await listIn(await folderOf(), "a.jpg\n");
    for (const root of ["https://me:secret@host/b", "https://host/b?key=secret", "https://["]) {
      const error = await collected(shardsOf({ list, root }, { out: "." })).catch((error: unknown) =>
        String(error),
      );
      expect(error).toMatch(/^BulkError: The root .* has a password, a query or what is no URL in it/);
      expect(error).not.toContain("secret");
    }
    for (const root of ["https://host", "https://host/b", "https://host/b/"])
      expect(await collected(shardsOf({ list, root }, { out: "." }))).toHaveLength(1);
  });
});

async function listIn(folder: string, text: string): Promise<string> {
  const { mkdir, writeFile } = await import("node:fs/promises");
  await mkdir(join(folder, "x"), { recursive: true });
  await writeFile(join(folder, "x/list.txt"), text);
  return join(folder, "x/list.txt");
}
