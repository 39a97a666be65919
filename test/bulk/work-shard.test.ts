import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { extract, pack } from "tar-stream";
import { beforeAll, describe, expect, it } from "vitest";
import type { ShardManifest } from "../../src/bulk/manifest.ts";
import type { Shard } from "../../src/bulk/shard.ts";
import { shardsOf } from "../../src/bulk/shards-of.ts";
import { workShard } from "../../src/bulk/work-shard.ts";
import type { WorkOptions } from "../../src/bulk/work-shard.ts";
import { folderOf, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { collected } from "./collected.ts";
import { filesIn } from "./files-in.ts";
import { RednessLabeller } from "./labeller.ts";

describe("workShard", () => {
  const temporary = temporaryFolder();
  let labeller: RednessLabeller;
  let jpeg: Buffer;
  beforeAll(async () => {
    labeller = await RednessLabeller.create(temporary("model.safetensors"));
    jpeg = await photo(20, 12).jpeg().toBuffer();
  });

  async function setUp(
    files: Record<string, Uint8Array | string>,
    list?: string,
  ): Promise<{ folder: string; out: string; shard: Shard }> {
    const folder = await folderOf(files);
    const out = join(folder, "out");
    await mkdir(out, { recursive: true });
    if (list !== undefined) await writeFile(join(folder, "list.txt"), list);
    const inputs = list === undefined ? { folder } : { list: join(folder, "list.txt") };
    const [shard] = await collected(shardsOf(inputs, { out }));
    return { folder, out, shard };
  }
  const work = (shard: Shard, options: WorkOptions): Promise<ShardManifest> =>
    workShard(labeller, shard, options);

  it("labels a folder's photos with its subfolders, and says in the manifest what came of each", async () => {
    const { out, shard } = await setUp({
      "b.jpg": jpeg,
      "a/a.jpg": jpeg,
      "a/a.png": await photo(8, 8).png().toBuffer(),
      "a/notes.txt": "no photo",
      "broken.jpg": jpeg.subarray(0, 200),
      ".hidden.jpg": jpeg,
    });
    const told: [string, boolean][] = [];
    const manifest = await work(shard, {
      out,
      geoJson: true,
      onPhoto: ({ photo }, failure) => told.push([photo, failure === null]),
    });
    expect(manifest.photos.map(({ photo, line }) => [photo, line])).toEqual([
      ["a/a.jpg", 1],
      ["a/a.png", 2],
      ["b.jpg", 3],
    ]);
    expect(told.sort()).toEqual([
      ["a/a.jpg", true],
      ["a/a.png", true],
      ["b.jpg", true],
      ["broken.jpg", false],
    ]);
    expect(manifest.failures).toMatchObject([{ photo: "broken.jpg", line: 4, passing: false }]);
    expect(manifest.failures[0].reason).toMatch(/^The photo broken\.jpg cannot be decoded/);
    const stems = ["a/a", "a/a~2", "b"];
    const endings = ["geojson", "json", "mask.png", "overlay.png"];
    const outputs = stems.flatMap((stem) => endings.map((ending) => `${stem}.${ending}`));
    expect(manifest.photos.flatMap(({ outputs }) => outputs.map(({ name }) => name))).toEqual(outputs);
    const place = join(out, "shard-000000");
    expect(await filesIn(place)).toEqual([...outputs, "manifest.json"].sort());
    for (const { name, bytes, sha256 } of manifest.photos.flatMap(({ outputs }) => outputs)) {
      const content = await readFile(join(place, name));
      expect([content.length, createHash("sha256").update(content).digest("hex")]).toEqual([bytes, sha256]);
    }
    expect(JSON.parse(await readFile(join(place, "manifest.json"), "utf8"))).toEqual(manifest);
    // Nothing is left beside it, and no folder of this machine is in it.
    expect((await readdir(out)).filter((name) => name.startsWith("."))).toEqual([]);
    expect(JSON.stringify(manifest)).not.toContain(out);
  });

  it("does nothing the second time, and does the same where it was not done", async () => {
    const { out, shard } = await setUp({ "a.jpg": jpeg, "b.jpg": jpeg }, "# two\r\nb.jpg\r\n\r\n./a.jpg\r\n");
    const first = await work(shard, { out });
    expect(first.photos.map(({ photo }) => photo)).toEqual(["b.jpg", "a.jpg"]);
    const before = labeller.labelled;
    let told = 0;
    expect(await work(shard, { out, onDoneBefore: () => (told += 1) })).toEqual(first);
    expect([labeller.labelled, told]).toEqual([before, 1]);
    await cp(join(out, "shard-000000"), join(out, "../kept"), { recursive: true });
    await rm(join(out, "shard-000000"), { recursive: true });
    expect(await work(shard, { out })).toEqual(first);
    expect(labeller.labelled).toBe(before + 2);
    for (const name of await filesIn(join(out, "../kept")))
      expect(await readFile(join(out, "shard-000000", name))).toEqual(
        await readFile(join(out, "../kept", name)),
      );
  });

  it.each([
    ["an output that is cut short", (place: string) => truncate(join(place, "a.mask.png"), 20)],
    ["an output that is gone", (place: string) => rm(join(place, "a.json"))],
    ["a manifest that is cut short", (place: string) => truncate(join(place, "manifest.json"), 100)],
    [
      "a manifest that was changed",
      async (place: string) => {
        const text = await readFile(join(place, "manifest.json"), "utf8");
        await writeFile(join(place, "manifest.json"), text.replace('"a.jpg"', '"z.jpg"'));
      },
    ],
    ["no manifest", (place: string) => rm(join(place, "manifest.json"))],
  ])("does a shard with %s anew", async (_, harm) => {
    const { out, shard } = await setUp({ "a.jpg": jpeg });
    const first = await work(shard, { out });
    const place = join(out, "shard-000000");
    const kept = await readFile(join(place, "manifest.json"));
    await harm(place);
    expect(await work(shard, { out })).toEqual(first);
    expect(await readFile(join(place, "manifest.json"))).toEqual(kept);
    expect(await filesIn(place)).toEqual(["a.json", "a.mask.png", "a.overlay.png", "manifest.json"]);
    expect((await readdir(out)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("refuses what was done with another model, other settings or of other photos", async () => {
    const { out, shard, folder } = await setUp({ "a.jpg": jpeg, "b.jpg": jpeg }, "a.jpg\n");
    await work(shard, { out });
    const other = await RednessLabeller.create(temporary("other.safetensors"), "other weights");
    await expect(workShard(other, shard, { out })).rejects.toThrow(
      /done before, with another model: give another --out/,
    );
    await expect(work(shard, { out, maskPng: "indexed" })).rejects.toThrow(
      /with mask_png grey, not indexed:/,
    );
    await expect(work(shard, { out, outputsAs: "tar" })).rejects.toThrow(/done before, as files, not tar:/);
    await writeFile(join(folder, "list.txt"), "b.jpg\n");
    await expect(work(shard, { out: folder })).rejects.toThrow(/list\.txt has changed from line 1 on/);
    const [changed] = await collected(shardsOf({ list: join(folder, "list.txt") }, { out }));
    await expect(work(changed, { out })).rejects.toThrow(/done before, of other photos:/);
  });

  it("lets two workers do the same shard at once", async () => {
    const { out, shard } = await setUp({ "a.jpg": jpeg, "b.jpg": jpeg, "c.jpg": jpeg });
    const waits: (() => void)[] = [];
    labeller.before = () => new Promise((resolve) => void waits.push(resolve));
    const both = [work(shard, { out }), work(shard, { out })];
    while (waits.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    labeller.before = () => Promise.resolve();
    for (const go of waits) go();
    const [a, b] = await Promise.all(both);
    expect(a).toEqual(b);
    expect(await readdir(out)).toEqual([expect.stringMatching(/^photos-/), "shard-000000"]);
    expect(await filesIn(join(out, "shard-000000"))).toHaveLength(10);
  });

  it("says that the folder of the outputs is not there, and goes on when it is", async () => {
    const { folder, shard } = await setUp({ "a.jpg": jpeg });
    const out = join(folder, "mounted later");
    await expect(work(shard, { out })).rejects.toThrow(/shard-000000: its folder does not exist; create it/);
    await mkdir(out);
    expect((await work(shard, { out })).photos).toHaveLength(1);
  });

  it("leaves nothing when it is ended", async () => {
    const { out, shard } = await setUp({ "a.jpg": jpeg, "b.jpg": jpeg, "c.jpg": jpeg });
    const controller = new AbortController();
    const onPhoto = (): void => controller.abort(new Error("Enough."));
    await expect(work(shard, { out, onPhoto, signal: controller.signal })).rejects.toThrow("Enough.");
    expect(await readdir(out)).toEqual([expect.stringMatching(/^photos-/)]);
  });

  it("names what is no file or cannot be a photo, and waits for no pipe", async () => {
    const { out, shard, folder } = await setUp(
      { "a.jpg": jpeg, "b/c.jpg": jpeg },
      "a.jpg\nb\npipe\nhttp://\ngone.jpg\n",
    );
    await promisify(execFile)("mkfifo", [join(folder, "pipe")]);
    const { failures, photos } = await work(shard, { out });
    expect(photos).toHaveLength(1);
    expect(failures.map(({ reason, passing }) => [reason, passing])).toEqual([
      ["The photo b cannot be read (not a file): make it a readable file.", false],
      ["The photo pipe cannot be read (not a file): make it a readable file.", false],
      ["Line 4 of the list is no URL, though it begins as one: write it as browsers do.", false],
      [
        "The photo gone.jpg cannot be read (ENOENT: no such file or directory): make it a readable file.",
        false,
      ],
    ]);
  });

  it("does not take a folder that is not there for photos that are gone", async () => {
    const { out, shard } = await setUp({}, "gone/a.jpg\ngone/b.jpg\n");
    await expect(work(shard, { out })).rejects.toThrow(
      /^None of 2 photos of shard-000000-\w+ could be read, the first/,
    );
    expect(await readdir(out)).toEqual([]);
  });

  it("labels an archive into another one, in its order, which is the same each time", async () => {
    const folder = await folderOf({ "out/kept/x": "" });
    const out = join(folder, "out");
    const archive = pack();
    for (const [name, content] of [
      ["street/b.jpg", jpeg],
      ["street/b.json", Buffer.from("{}")],
      ["a.jpg", jpeg],
      ["broken.jpg", jpeg.subarray(0, 200)],
    ] as const)
      archive.entry({ name }, content);
    archive.finalize();
    const path = join(folder, "photos-0.tar");
    await writeFile(path, Buffer.concat(await collected(archive as AsyncIterable<Uint8Array>)));
    const [shard] = await collected(shardsOf({ tars: [join(folder, "photos-{0..0}.tar")] }, { out }));
    const manifest = await work(shard, { out, outputsAs: "tar" });
    expect(manifest).toMatchObject({
      source: { tar: "photos-0.tar" },
      photos: [{ photo: "photos-0.tar/street/b.jpg" }, { photo: "photos-0.tar/a.jpg" }],
      failures: [{ photo: "photos-0.tar/broken.jpg", passing: false }],
      passed_over: 1,
    });
    expect((await readdir(out)).sort()).toEqual(["kept", "shard-000000.json", "shard-000000.tar"]);
    const names: string[] = [];
    for await (const member of createReadStream(join(out, "shard-000000.tar")).pipe(extract())) {
      names.push(member.header.name);
      const content = Buffer.concat(await collected(member as AsyncIterable<Uint8Array>));
      const [said] = manifest.photos
        .flatMap(({ outputs }) => outputs)
        .filter(({ name }) => name === names.at(-1));
      expect(createHash("sha256").update(content).digest("hex")).toBe(said.sha256);
    }
    const endings = ["json", "mask.png", "overlay.png"];
    expect(names).toEqual(["street/b", "a"].flatMap((stem) => endings.map((ending) => `${stem}.${ending}`)));

    const first = await readFile(join(out, "shard-000000.tar"));
    const labelled = labeller.labelled;
    expect(await work(shard, { out, outputsAs: "tar" })).toEqual(manifest);
    expect(labeller.labelled).toBe(labelled);
    // Killed between the two renames, or torn: it is done again.
    for (const harm of [
      () => rm(join(out, "shard-000000.json")),
      () => truncate(join(out, "shard-000000.tar"), 1000),
      () => rm(join(out, "shard-000000.tar")),
    ]) {
      await harm();
      expect(await work(shard, { out, outputsAs: "tar" })).toEqual(manifest);
      expect(await readFile(join(out, "shard-000000.tar"))).toEqual(first);
    }
    await expect(work(shard, { out, outputsAs: "files" })).rejects.toThrow(/done before, as tar, not files:/);
    await truncate(path, 3000);
    await expect(work(shard, { out: folder, outputsAs: "tar" })).rejects.toThrow(
      /photos-0\.tar has 3000 bytes, and \d+ when/,
    );
  });

  it("makes the outputs that are asked for, and no other", async () => {
    const { out, shard } = await setUp({ "a.jpg": jpeg, "b.jpg": jpeg });
    const { photos, settings } = await work(shard, { out, outputs: ["json", "mask"] });
    expect(settings.outputs).toBe("mask,json");
    expect(photos.flatMap(({ outputs }) => outputs.map(({ name }) => name))).toEqual([
      ...["a.json", "a.mask.png", "b.json", "b.mask.png"],
    ]);
    await expect(work(shard, { out })).rejects.toThrow(/with outputs mask,json, not mask,overlay,json:/);
  });

  it("gives keys without dots to an archive, where they would end them", async () => {
    const { out, shard } = await setUp({ "b.x.jpg": jpeg, "b_x.jpg": jpeg });
    const { photos } = await work(shard, { out, outputsAs: "tar" });
    expect(photos.map(({ outputs }) => outputs[1].name)).toEqual(["b_x.mask.png", "b_x~2.mask.png"]);
  });

  it("does a shard again whose photos may be had later, and then no more", async () => {
    let isBusy = true;
    const server = createServer((_, response) => {
      if (isBusy) response.writeHead(503).end();
      else response.end(jpeg);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const { out, shard } = await setUp(
        { "a.jpg": jpeg },
        `a.jpg\nhttp://me:secret@127.0.0.1:${port}/p.jpg?key=secret\n`,
      );
      const options = { out, web: { attempts: 2, retryDelayMs: 1 } };
      const shown = `http://127.0.0.1:${port}/p.jpg?…`;
      const busy = await work(shard, options);
      expect(busy).toMatchObject({
        photos: [{ photo: "a.jpg" }],
        failures: [{ photo: shown, line: 2, passing: true }],
      });
      expect(busy.failures[0].reason).toBe(
        `The photo ${shown} cannot be had (the server answers 503, 2 times): label it again later.`,
      );
      isBusy = false;
      const had = await work(shard, options);
      expect(had).toMatchObject({ photos: [{ photo: "a.jpg" }, { photo: shown, line: 2 }], failures: [] });
      expect(had.photos[1].outputs[1].name).toBe(`127.0.0.1_${port}/p.mask.png`);
      expect(await work(shard, options)).toEqual(had);
      for (const name of await filesIn(out))
        expect((await readFile(join(out, name))).includes("secret")).toBe(false);
    } finally {
      server.close();
    }
  });
});
