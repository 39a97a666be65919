import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkRunFolder, RunFolder, RunFolderError, writeJson } from "../../src/runs/run-folder.ts";

const create = (out: string | null): Promise<RunFolder> => RunFolder.create({ out, name: "train" });

describe("RunFolder", () => {
  let folder: string;
  const home = process.cwd();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-run-"));
    process.chdir(folder);
  });
  afterEach(async () => {
    process.chdir(home);
    await rm(folder, { recursive: true, force: true });
  });

  it("numbers runs by itself", async () => {
    expect((await create(null)).path).toBe(join("runs", "train-1"));
    expect((await create(null)).path).toBe(join("runs", "train-2"));
    expect((await readdir(join("runs", "train-2"))).sort()).toEqual(["checkpoints", "figures"]);
  });

  it("gives runs that begin at the same moment a folder each", async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => create(null)));
    expect(new Set(runs.map(({ path }) => path)).size).toBe(4);
  });

  it("removes what a process that was killed had not given its name yet", async () => {
    const run = await create("killed");
    const files = [
      ".history.csv.0a1b2c3d4e5f.tmp",
      "checkpoints/.last.safetensors.0a1b2c3d4e5f.tmp",
      "checkpoints/best.safetensors.tmp",
      "checkpoints/last.safetensors",
    ];
    for (const file of files) await writeFile(join("killed", file), "");
    await run.removeAbandoned();
    expect((await readdir("killed")).sort()).toEqual(["checkpoints", "figures"]);
    expect(await readdir("killed/checkpoints")).toEqual(["last.safetensors"]);
  });

  it("finds a run by its path or its name", async () => {
    const { path } = await RunFolder.create({ out: null, name: "mine" });
    await expect(RunFolder.open(path)).rejects.toThrow(/mine-1 is no run: give the folder of one/);
    await writeFile(join(path, "config.json"), "{}");
    for (const said of [path, "mine-1"]) expect((await RunFolder.open(said)).path).toBe(path);
    await expect(RunFolder.open("nowhere")).rejects.toThrow("nowhere is no run");
  });

  it("takes an empty folder and refuses one that holds something", async () => {
    await mkdir("empty");
    await checkRunFolder("empty");
    await create("empty");
    await expect(checkRunFolder("empty")).rejects.toThrow(
      "The output folder empty is not empty: give another --out",
    );
    await expect(create("empty")).rejects.toThrow(RunFolderError);
  });

  it("says when a part of the path is a file, and leaves nothing behind", async () => {
    await writeFile("file", "");
    for (const attempt of [checkRunFolder, create]) {
      await expect(attempt(join("file", "run"))).rejects.toThrow(
        `The output folder ${join("file", "run")} cannot be written: a part of the path is a file`,
      );
      await expect(attempt("file")).rejects.toThrow("a part of the path is a file");
    }
    expect(await readdir(".")).toEqual(["file"]);
  });

  it.skipIf(process.getuid?.() === 0)(
    "says when there is no permission (root has every permission)",
    async () => {
      await mkdir("closed");
      await chmod("closed", 0o500);
      await expect(checkRunFolder(join("closed", "run"))).rejects.toThrow(
        "there is no permission to write there",
      );
    },
  );

  it("says that a kernel's own folder cannot be written", async () => {
    await expect(create("/proc/bespoke")).rejects.toThrow(
      /^The output folder \/proc\/bespoke cannot be written/,
    );
  });

  it("writes JSON whole", async () => {
    await writeJson("summary.json", { steps: 3 });
    expect(await readFile("summary.json", "utf8")).toBe('{\n  "steps": 3\n}\n');
    expect(await readdir(".")).toEqual(["summary.json"]);
  });
});
