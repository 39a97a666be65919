import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sealed } from "../../src/bulk/manifest.ts";
import type { ShardManifest } from "../../src/bulk/manifest.ts";
import { openPlan } from "../../src/bulk/plan.ts";
import { verifyShards } from "../../src/bulk/verify-shards.ts";
import type { Verification } from "../../src/bulk/verify-shards.ts";
import { workShard } from "../../src/bulk/work-shard.ts";
import { folderOf, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { RednessLabeller } from "./labeller.ts";

describe("verifyShards", () => {
  const temporary = temporaryFolder();
  let labeller: RednessLabeller;
  let done: string;
  // Three shards of two photos, the last of them with a photo that is none.
  beforeAll(async () => {
    labeller = await RednessLabeller.create(temporary("model.safetensors"));
    const jpeg = await photo(20, 12).jpeg().toBuffer();
    done = temporary("done");
    await mkdir(temporary("photos"));
    for (const name of ["a", "b", "c", "d", "e"]) await writeFile(temporary(`photos/${name}.jpg`), jpeg);
    await writeFile(temporary("photos/f.jpg"), "no photo");
    await mkdir(done);
    const plan = await openPlan({ folder: temporary("photos") }, { out: done, size: 2 });
    for await (const shard of plan.shards()) await workShard(labeller, shard, { out: done });
  });

  const verified = async (
    harm: (out: string) => Promise<unknown>,
    quick = false,
  ): Promise<Verification & { said: string[] }> => {
    const out = join(await folderOf(), "out");
    await cp(done, out, { recursive: true });
    await harm(out);
    const said: string[] = [];
    const found = await verifyShards({
      out,
      quick,
      onProblem: ({ kind, sentence }) => said.push(`${kind}: ${sentence}`),
    });
    return { ...found, said };
  };
  const flip = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] ^= 1;
    await writeFile(file, bytes);
  };
  const NONE = { missing: 0, torn: 0, tampered: 0, unknown: 0, duplicate: 0 };

  it("finds nothing wrong where nothing is", async () => {
    for (const quick of [false, true]) {
      expect(await verified(() => Promise.resolve(), quick)).toEqual({
        ...{ shards: 3, whole: 3, photos: 5, failures: 1, passing: 0, underWay: 0 },
        ...{ problems: NONE, said: [] },
      });
    }
  });

  it.each<[string, (out: string) => Promise<unknown>, Partial<Verification["problems"]>, RegExp]>([
    [
      "a shard",
      (out) => rm(join(out, "shard-000001"), { recursive: true }),
      { missing: 1 },
      /shard-000001 is not done/,
    ],
    [
      "a manifest",
      (out) => rm(join(out, "shard-000001/manifest.json")),
      { missing: 1 },
      /shard-000001 is not done/,
    ],
    [
      "an output that is gone",
      (out) => rm(join(out, "shard-000000/a.json")),
      { torn: 1 },
      /a\.json is not there/,
    ],
    [
      "one cut short",
      (out) => truncate(join(out, "shard-000000/a.json"), 5),
      { torn: 1 },
      /a\.json has 5 bytes instead/,
    ],
    [
      "an unknown file",
      (out) => writeFile(join(out, "shard-000002/x.png"), ""),
      { unknown: 1 },
      /x\.png is in no manifest/,
    ],
    [
      "one beside the shards",
      (out) => writeFile(join(out, "x.png"), ""),
      { unknown: 1 },
      /x\.png is of no shard/,
    ],
    [
      "a shard too many",
      (out) => mkdir(join(out, "shard-000003")),
      { unknown: 1 },
      /shard-000003 is of no shard/,
    ],
    [
      "a manifest cut short",
      (out) => truncate(join(out, "shard-000001/manifest.json"), 50),
      { tampered: 1 },
      /it is no JSON/,
    ],
    [
      "a manifest that says something else",
      (out) => change(join(out, "shard-000001/manifest.json"), (text) => text.replace('"c.jpg"', '"z.jpg"')),
      { tampered: 1 },
      /not as it was written \(its digest/,
    ],
    [
      "a manifest of another form",
      (out) => change(join(out, "shard-000002/manifest.json"), (text) => text.replace('"passing"', '"more"')),
      { tampered: 1 },
      /not as it was written \(failures\.0/,
    ],
    [
      "a manifest with a digest of its own",
      (out) =>
        change(join(out, "shard-000002/manifest.json"), (text) => {
          const { digest, ...rest } = JSON.parse(text) as ShardManifest;
          const changed = sealed({ ...rest, failures: [] });
          expect(changed.digest).not.toBe(digest);
          return JSON.stringify(changed);
        }),
      { tampered: 1 },
      /tells of 1 lines, where its shard has 2/,
    ],
    [
      "the manifest of another shard",
      (out) => cp(join(out, "shard-000000/manifest.json"), join(out, "shard-000001/manifest.json")),
      { tampered: 1 },
      /is of other photos \(shard-000000-\w+, not shard-000001-/,
    ],
    [
      "a shard done in both ways",
      (out) => cp(join(out, "shard-000000/manifest.json"), join(out, "shard-000000.json")),
      { duplicate: 1 },
      /shard-000000 is there as files and as an archive/,
    ],
  ])("finds %s", async (_, harm, problems, sentence) => {
    for (const quick of [false, true]) {
      const found = await verified(harm, quick);
      expect(found.problems).toEqual({ ...NONE, ...problems });
      expect(found.said.join("\n")).toMatch(sentence);
    }
  });

  it("finds a byte that was changed, unless it has to be quick", async () => {
    const harm = (out: string): Promise<void> => flip(join(out, "shard-000001/d.overlay.png"));
    expect(await verified(harm)).toMatchObject({
      ...{ whole: 2, problems: { ...NONE, torn: 1 } },
      said: [
        expect.stringMatching(
          /^torn: .*d\.overlay\.png is not the file that was written \(its digest is another\): remove it, and label the shard again\.$/,
        ),
      ],
    });
    expect(await verified(harm, true)).toMatchObject({ whole: 3, problems: NONE });
  });

  it("finds the same of shards that are archives", async () => {
    const out = join(await folderOf(), "out");
    await mkdir(out);
    const plan = await openPlan({ folder: temporary("photos") }, { out, size: 4 });
    for await (const shard of plan.shards()) await workShard(labeller, shard, { out, outputsAs: "tar" });
    const found = async (quick = false): Promise<string[]> => {
      const said: string[] = [];
      await verifyShards({
        out,
        quick,
        onProblem: ({ kind, sentence }) => said.push(`${kind}: ${sentence}`),
      });
      return said;
    };
    expect(await found()).toEqual([]);
    await flip(join(out, "shard-000000.tar"));
    expect(await found(true)).toEqual([]);
    expect(await found()).toEqual([
      expect.stringMatching(/^torn: .*shard-000000\.tar is not the file that was written/),
    ]);
    await truncate(join(out, "shard-000000.tar"), 512);
    expect(await found(true)).toEqual([
      expect.stringMatching(/^torn: .*000000\.tar has 512 bytes instead of \d+\.$/),
    ]);
    await rm(join(out, "shard-000000.tar"));
    await rm(join(out, "shard-000001.json"));
    expect(await found(true)).toEqual([
      expect.stringMatching(/^torn: .*shard-000000\.tar is not there\.$/),
      "missing: shard-000001 is not done.",
    ]);
  });

  it("counts what is under way and names no problem", async () => {
    const aside = `.shard-000001.${"0".repeat(12)}.tmp`;
    expect(await verified((out) => mkdir(join(out, aside)))).toMatchObject({ underWay: 1, problems: NONE });
  });

  it("says where nothing was begun", async () => {
    await expect(verifyShards({ out: temporary("photos") })).rejects.toThrow(
      /no shards\.jsonl in .*: give the --out/,
    );
    await expect(verifyShards({ out: temporary("nowhere") })).rejects.toThrow(/no shards\.jsonl/);
  });

  it("has digests that another program makes, too", async () => {
    const { digest, ...rest } = JSON.parse(
      await readFile(join(done, "shard-000000/manifest.json"), "utf8"),
    ) as ShardManifest;
    expect(createHash("sha256").update(JSON.stringify(rest)).digest("hex")).toBe(digest);
  });
});

async function change(file: string, how: (text: string) => string): Promise<void> {
  await writeFile(file, how(await readFile(file, "utf8")));
}
