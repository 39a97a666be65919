import { writeFileSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeFolderAtomically, type FolderFile } from "../../src/files/atomic-folder-writer.ts";
import { FileError } from "../../src/files/file-error.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const inFolder = temporaryFolder();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const files = [
  ["a", [bytes("on"), bytes("e")]],
  ["b", [bytes("two")]],
] as const;

/** A folder of its own for the folder that is written, to see what else lies there. */
async function place(name: string): Promise<{ parent: string; path: string }> {
  const parent = inFolder(name);
  await mkdir(parent);
  return { parent, path: join(parent, "model") };
}

async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
  );
}

describe("writeFolderAtomically", () => {
  test("a new folder, and an empty one that is there", async () => {
    const { parent, path } = await place("new");
    await writeFolderAtomically(path, files);
    expect(await contents(path)).toEqual({ a: "one", b: "two" });
    await mkdir(join(parent, "empty"));
    await writeFolderAtomically(join(parent, "empty"), files);
    expect(await contents(join(parent, "empty"))).toEqual({ a: "one", b: "two" });
    expect((await readdir(parent)).sort()).toEqual(["empty", "model"]);
  });

  test("a folder with files is replaced when it may be, as a whole", async () => {
    const { parent, path } = await place("replaced");
    await writeFolderAtomically(path, [["a", [bytes("old")]], ["c", []]]); // prettier-ignore
    await expect(writeFolderAtomically(path, files)).rejects.toThrow("the folder is not empty");
    await writeFolderAtomically(path, files, { replaces: () => true });
    expect(await contents(path)).toEqual({ a: "one", b: "two" });
    expect(await readdir(parent)).toEqual(["model"]);
  });

  test("what fails leaves what was there, and nothing else", async () => {
    const { parent, path } = await place("failing");
    await mkdir(path);
    await writeFile(join(path, "notes.txt"), "mine");
    const replaces = (name: string): boolean => name !== "notes.txt";
    await expect(writeFolderAtomically(path, files, { replaces })).rejects.toThrow(
      `Cannot write ${path}: the folder holds other files besides a model, "notes.txt" for one`,
    );
    function* broken(): Generator<(typeof files)[number]> {
      yield files[0];
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    }
    const full = writeFolderAtomically(path, broken(), { replaces: () => true });
    await expect(full).rejects.toThrow(FileError);
    await expect(full).rejects.toThrow(`Cannot write ${path}: the disk is full`);
    expect(await contents(path)).toEqual({ "notes.txt": "mine" });
    expect(await readdir(parent)).toEqual(["model"]);
  });

  test("an empty folder that is filled meanwhile stays", async () => {
    const { parent, path } = await place("filled");
    await mkdir(path);
    function* slow(): Generator<FolderFile> {
      yield files[0];
      writeFileSync(join(path, "other"), "theirs");
    }
    await expect(writeFolderAtomically(path, slow())).rejects.toThrow("a folder of that name is in the way");
    expect(await contents(path)).toEqual({ other: "theirs" });
    expect(await readdir(parent)).toEqual(["model"]);
  });

  test("a link to a folder stays one, and the folder is replaced", async () => {
    const { parent, path } = await place("linked");
    await writeFolderAtomically(path, [["a", [bytes("old")]]]);
    const link = join(parent, "link");
    await symlink(path, link);
    await writeFolderAtomically(link, files, { replaces: () => true });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await contents(path)).toEqual({ a: "one", b: "two" });
    expect((await readdir(parent)).sort()).toEqual(["link", "model"]);
  });

  test("what is stopped leaves what was there", async () => {
    const { parent, path } = await place("stopped");
    await writeFolderAtomically(path, [["a", [bytes("old")]]]);
    const controller = new AbortController();
    function* interrupted(): Generator<FolderFile> {
      yield files[0];
      controller.abort(new Error("Interrupted."));
    }
    const options = { replaces: () => true, signal: controller.signal };
    await expect(writeFolderAtomically(path, interrupted(), options)).rejects.toThrow("Interrupted.");
    expect(await contents(path)).toEqual({ a: "old" });
    expect(await readdir(parent)).toEqual(["model"]);
  });

  test("no folder above, a file in the way", async () => {
    const { parent } = await place("ways");
    await expect(writeFolderAtomically(join(parent, "no", "model"), files)).rejects.toThrow(
      "its folder does not exist; create it",
    );
    await writeFile(join(parent, "file"), "");
    await expect(writeFolderAtomically(join(parent, "file"), files)).rejects.toThrow(
      `Cannot write ${join(parent, "file")}:`,
    );
    expect(await readdir(parent)).toEqual(["file"]);
  });

  test.skipIf(process.getuid?.() === 0)("a folder above that cannot be written to", async () => {
    const { parent, path } = await place("locked");
    await chmod(parent, 0o500);
    await expect(writeFolderAtomically(path, files)).rejects.toThrow("permission denied");
    await chmod(parent, 0o700);
  });
});
