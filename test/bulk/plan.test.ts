import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openPlan, readPlan } from "../../src/bulk/plan.ts";
import { shardsOf } from "../../src/bulk/shards-of.ts";
import { folderOf } from "../data/folder.ts";
import { collected } from "./collected.ts";

const lines = (n: number): string => Array.from({ length: n }, (_, i) => `${i}.jpg\n`).join("");

async function setUp(files: Record<string, string>): Promise<{ folder: string; out: string; list: string }> {
  const folder = await folderOf(files);
  const out = join(folder, "out");
  await mkdir(out);
  return { folder, out, list: join(folder, "list.txt") };
}

describe("openPlan", () => {
  it("writes the shards down once, for all who work on them", async () => {
    const { folder, out, list } = await setUp({ "list.txt": lines(25) });
    const plan = await openPlan({ list }, { out, size: 10 });
    expect(plan).toMatchObject({ size: 10, count: 3, entries: 25 });
    const shards = await collected(shardsOf({ list }, { out, size: 10 }));
    expect(await collected(plan.shards())).toEqual(shards);
    const written = await readFile(join(out, "shards.jsonl"));
    expect(await collected((await openPlan({ list }, { out })).shards())).toEqual(shards);
    const named = await collected((await readPlan(out)).shards());
    expect(named.map(({ id }) => id)).toEqual(shards.map(({ id }) => id));
    expect(named[0]).toMatchObject({ list: { path: "list.txt", root: basename(folder) } });
    expect(written.includes(folder)).toBe(false);
    expect(await readFile(join(out, "shards.jsonl"))).toEqual(written);
    expect(await readdir(out)).toEqual(["shards.jsonl"]);
  });

  it("gives every part something to do, where there are enough photos", async () => {
    for (const [photos, parts, size, count] of [
      [25, 10, 3, 9],
      [5, 10, 1, 5],
      [2500, 2, 1000, 3],
      [25, 1, 1000, 1],
    ]) {
      const { out, list } = await setUp({ "list.txt": lines(photos) });
      expect(await openPlan({ list }, { out, parts })).toMatchObject({ size, count });
      // Whoever comes later, of another number of parts, takes it as it is.
      expect(await openPlan({ list }, { out, parts: 3 })).toMatchObject({ size, count });
    }
  });

  it("is made anew when the list has changed, and keeps what is as before", async () => {
    const { out, list } = await setUp({ "list.txt": lines(25) });
    const before = await collected((await openPlan({ list }, { out, size: 10 })).shards());
    await writeFile(list, lines(31));
    const plan = await openPlan({ list }, { out });
    const after = await collected(plan.shards());
    expect(plan).toMatchObject({ size: 10, count: 4, entries: 31 });
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2].id).not.toBe(before[2].id);
  });

  it("is the same where everything is mounted elsewhere", async () => {
    const { folder, out, list } = await setUp({
      "list.txt": lines(5),
      "photos/b/a.jpg": "",
      "photos/c.png": "",
    });
    const inFolder = join(folder, "out2");
    await mkdir(inFolder);
    await openPlan({ list }, { out, size: 2 });
    await openPlan({ folder: join(folder, "photos") }, { out: inFolder, size: 1 });
    const moved = `${folder}-moved`;
    await rename(folder, moved);
    await mkdir(folder);
    try {
      const shards = await collected(
        (await openPlan({ list: join(moved, "list.txt") }, { out: join(moved, "out") })).shards(),
      );
      expect(shards[0]).toMatchObject({ list: { path: join(moved, "list.txt"), root: moved } });
      const own = await openPlan({ folder: join(moved, "photos") }, { out: join(moved, "out2") });
      const [first] = await collected(own.shards());
      expect(own).toMatchObject({ count: 2, entries: 2 });
      expect(first).toMatchObject({ list: { root: join(moved, "photos"), entries: 1 } });
      expect(await readFile((first as { list: { path: string } }).list.path, "utf8")).toBe(
        "./b/a.jpg\n./c.png\n",
      );
    } finally {
      await rename(moved, join(folder, "moved"));
    }
  });

  it("holds the photos of a folder that were there the first time", async () => {
    const { folder, out } = await setUp({ "photos/a.jpg": "" });
    const inputs = { folder: join(folder, "photos") };
    await openPlan(inputs, { out });
    await writeFile(join(folder, "photos/b.jpg"), "");
    expect((await openPlan(inputs, { out })).entries).toBe(1);
  });

  it("is one plan where several are made at once", async () => {
    const { folder, out } = await setUp({ "photos/a.jpg": "", "photos/b.jpg": "" });
    const inputs = { folder: join(folder, "photos") };
    const plans = await Promise.all([1, 2, 3].map(() => openPlan(inputs, { out, size: 1 })));
    for (const plan of plans) expect(plan).toMatchObject({ count: 2 });
    expect(await readdir(out)).toEqual([expect.stringMatching(/^photos-[0-9a-f]{16}\.txt$/), "shards.jsonl"]);
  });

  it("refuses other inputs, shards of another size, what was changed, and nothing to label", async () => {
    const { folder, out, list } = await setUp({
      "list.txt": lines(5),
      "other.txt": lines(5),
      "none.txt": "# none\n",
    });
    await openPlan({ list }, { out, size: 2 });
    await expect(openPlan({ list: join(folder, "other.txt") }, { out })).rejects.toThrow(
      /was begun with list list\.txt, not list other\.txt: give another --out/,
    );
    await expect(openPlan({ list }, { out, size: 3 })).rejects.toThrow(/with 2 photos a shard, not 3: leave/);
    for (const text of ["", "{}\n", (await readFile(join(out, "shards.jsonl"), "utf8")).slice(0, -30)]) {
      await writeFile(join(out, "shards.jsonl"), text);
      await expect(readPlan(out)).rejects.toThrow(/shards\.jsonl/);
    }
    await expect(openPlan({ list: join(folder, "none.txt") }, { out: folder })).rejects.toThrow(
      /names no photo/,
    );
    await expect(openPlan({ folder }, { out: folder })).rejects.toThrow(/masks cannot go to/);
    await expect(openPlan({ folder: join(folder, "out") }, { out: folder })).rejects.toThrow(/hold no photo/);
    await expect(openPlan({ list: join(folder, "nowhere.txt") }, { out: folder })).rejects.toThrow(
      /no such file/,
    );
  });
});
