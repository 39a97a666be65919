import { mkdir, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isAside, removeLeftovers } from "../../src/bulk/leftovers.ts";
import { nameBeside } from "../../src/files/temporary.ts";
import { folderOf } from "../data/folder.ts";

describe("removeLeftovers", () => {
  it("removes what nobody has touched for an hour, and nothing else", async () => {
    const out = await folderOf({ ".shard-notes/kept": "", "shard-000001/manifest.json": "" });
    const aside = ["shard-000001", "shard-000002"].map((name) => nameBeside(join(out, name)));
    for (const path of aside) await mkdir(join(path, "files"), { recursive: true });
    const long = Date.now() / 1000 - 2 * 3600;
    for (const name of await readdir(out)) await utimes(join(out, name), long, long);
    const now = Date.now() / 1000;
    await utimes(aside[1], now, now);
    expect(await removeLeftovers(out)).toBe(1);
    expect((await readdir(out)).sort()).toEqual(
      [aside[1].slice(out.length + 1), ".shard-notes", "shard-000001"].sort(),
    );
  });

  it("knows the names of all that is written aside", () => {
    for (const name of ["shard-000003", "shard-1234567", "shards.jsonl", "photos.txt"])
      expect(isAside(nameBeside(`out/${name}`).slice("out/".length))).toBe(true);
    for (const name of [".git", "shard-000003", ".shard-x.tmp", ".photos.0123456789ab.tmp.txt"])
      expect(isAside(name)).toBe(false);
  });
});
