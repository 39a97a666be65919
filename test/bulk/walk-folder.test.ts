import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listFolder } from "../../src/bulk/walk-folder.ts";
import { folderOf } from "../data/folder.ts";

describe("listFolder", () => {
  it("lists the photos of a folder and its subfolders, in an order that is the same everywhere", async () => {
    const folder = await folderOf({
      ...{
        "b.jpg": "",
        "a/z.png": "",
        "a/B.JPG": "",
        "a/c/d.webp": "",
        "é.jpg": "",
        "#1.jpg": "",
        " x.jpg": "",
      },
      ...{
        "notes.txt": "",
        "a/b.heic": "",
        ".hidden/x.jpg": "",
        ".y.jpg": "",
        "out/shard-000000/b.mask.png": "",
      },
    });
    await symlink(join(folder, "b.jpg"), join(folder, "a/link.jpg"));
    await symlink(join(folder, "gone.jpg"), join(folder, "a/nowhere.jpg"));
    await symlink(folder, join(folder, "a/around"));
    await mkdir(join(folder, "folder.jpg"));
    const { list, photos, passedOver } = await listFolder(folder, join(folder, "out"));
    const lines = [
      ...[
        "./ x.jpg",
        "./#1.jpg",
        "./a/B.JPG",
        "./a/c/d.webp",
        "./a/link.jpg",
        "./a/nowhere.jpg",
        "./a/z.png",
      ],
      ...["./b.jpg", "./é.jpg"],
    ];
    expect((await readFile(list, "utf8")).split("\n")).toEqual([...lines, ""]);
    // Notes, a HEIC, and the link to a folder.
    expect([photos, passedOver]).toEqual([lines.length, 3]);
    expect(list).toMatch(/\/out\/photos-[0-9a-f]{16}\.txt$/);
    expect((await listFolder(folder, join(folder, "out"))).list).toBe(list);
    expect((await readdir(join(folder, "out"))).length).toBe(2);
  });

  it("refuses a name that no list can hold, a folder without photos, and none", async () => {
    const folder = await folderOf({
      "photos/a\nb.jpg": "",
      "deep/a\r/b.jpg": "",
      "other/a.txt": "",
      "out/x": "",
    });
    const out = join(folder, "out");
    await expect(listFolder(join(folder, "photos"), out)).rejects.toThrow(
      /a\?b\.jpg has a line break in its path/,
    );
    await expect(listFolder(join(folder, "deep"), out)).rejects.toThrow(
      /a\?\/b\.jpg has a line break in its path/,
    );
    await expect(listFolder(join(folder, "other"), out)).rejects.toThrow(
      /hold no photo \(but 1 other file\)/,
    );
    await expect(listFolder(join(folder, "none"), out)).rejects.toThrow(/none: there is no such file/);
    expect(await readdir(out)).toEqual(["x"]);
  });
});
