import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { writeFileAtomically } from "../../src/files/atomic-write.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const { mkdir, readdir, readFile, writeFile } = fs;
const link = vi.hoisted(() => ({ refused: false }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof fs>();
  const refusing = (from: string, to: string): Promise<void> =>
    link.refused
      ? Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" }))
      : real.link(from, to);
  return { ...real, link: refusing };
});

const inFolder = temporaryFolder();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let count = 0;
let folder = "";
let path = "";
beforeEach(async () => {
  folder = inFolder(String(count++));
  path = join(folder, "file");
  await mkdir(folder);
});

describe.each([false, true])("a file that must be new, on a file system without links: %s", (refused) => {
  beforeEach(() => void (link.refused = refused));

  test("is written where there is none", async () => {
    await writeFileAtomically(path, [bytes("on"), bytes("e")], { exclusive: true });
    expect(await readFile(path, "utf8")).toBe("one");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("is refused where one came meanwhile", async () => {
    function* slow(): Generator<Uint8Array> {
      yield bytes("one");
      writeFileSync(path, "theirs");
    }
    await expect(writeFileAtomically(path, slow(), { exclusive: true })).rejects.toThrow(
      `Cannot write ${path}: there is something of that name`,
    );
    expect(await readFile(path, "utf8")).toBe("theirs");
    expect(await readdir(folder)).toEqual(["file"]);
  });
});

test("a write that is stopped leaves the old file alone", async () => {
  await writeFile(path, "old");
  const controller = new AbortController();
  function* interrupted(): Generator<Uint8Array> {
    yield bytes("one");
    controller.abort(new Error("Interrupted."));
  }
  const writing = writeFileAtomically(path, interrupted(), { signal: controller.signal });
  await expect(writing).rejects.toThrow("Interrupted.");
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["file"]);
});

test.each([
  ["file", "atomic-write.ts", "await module.writeFileAtomically(path, chunks());"],
  ["folder", "atomic-folder-writer.ts", 'await module.writeFolderAtomically(path, [["a", chunks()]]);'],
])("a process that exits while it writes a %s leaves nothing of it", async (_, file, write) => {
  const module = new URL(`../../src/files/${file}`, import.meta.url).href;
  const tsx = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
  const script = `import { readdirSync } from "node:fs";
    import * as module from ${JSON.stringify(module)};
    const path = ${JSON.stringify(path)};
    function* chunks() {
      yield new Uint8Array(1000);
      console.log(readdirSync(${JSON.stringify(folder)}).length);
      process.exit(130);
    }
    ${write}`;
  await writeFile(inFolder("exits.mts"), script);
  const { status, stdout } = spawnSync(process.execPath, ["--import", tsx, inFolder("exits.mts")]);
  expect([status, stdout.toString()]).toEqual([130, "1\n"]);
  expect(await readdir(folder)).toEqual([]);
});

test("a name as long as a file system takes is not too long for the file that is renamed to it", async () => {
  const long = join(folder, "é".repeat(127));
  await writeFileAtomically(long, [bytes("one")]);
  expect(await readFile(long, "utf8")).toBe("one");
  await expect(writeFileAtomically(`${long}éé`, [bytes("one")])).rejects.toThrow("the name is too long");
  expect(await readdir(folder)).toHaveLength(1);
});
