import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileError } from "../../src/files/file-error.ts";
import { FolderSink } from "../../src/use/folder-sink.ts";
import { folderOf } from "../data/folder.ts";

test("keeps whole files under their names, and removes them", async () => {
  const folder = await folderOf({ "a.json": "of an earlier time" });
  const sink = new FolderSink(folder);
  await sink.put("a.json", Buffer.from("new"));
  await sink.put("b.json", new Uint8Array(0));
  expect(await readFile(join(folder, "a.json"), "utf8")).toBe("new");
  await sink.remove("b.json");
  await sink.remove("never.json");
  expect(await readdir(folder)).toEqual(["a.json"]);
});

test("says which file it cannot keep, and leaves what is there", async () => {
  const folder = await folderOf({ "a.json/inside": "" });
  const sink = new FolderSink(folder);
  await expect(sink.put("a.json", Buffer.from("new"))).rejects.toThrow(FileError);
  await expect(sink.put(`${"n".repeat(300)}.json`, Buffer.from("new"))).rejects.toThrow(
    /the name is too long; choose a shorter one/,
  );
  await sink.remove("a.json");
  expect(await readdir(folder)).toEqual(["a.json"]);
});
