import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "tar-stream";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ShardManifest } from "../../src/bulk/manifest.ts";
import { collected } from "../bulk/collected.ts";
import { filesIn } from "../bulk/files-in.ts";
import { folderOf, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { saveTinyModel } from "../train/tiny-model.ts";
import { runCommandLine, runCommandQuickly } from "./command-process.ts";
import type { Ended } from "./command-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

describe("npm run predict, of shards", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let model: string;
  let jpeg: Buffer;
  beforeAll(async () => {
    model = temporary("model.safetensors");
    await saveTinyModel(gpu(), model);
    jpeg = await photo(24, 16).jpeg().toBuffer();
  });
  const predict = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> =>
    runCommandQuickly("predict", ["--model", model, ...args], env === undefined ? {} : { env });
  const verify = (args: readonly string[]): Promise<Ended> => runCommandQuickly("verify", args);

  async function photosIn(count: number): Promise<{ folder: string; out: string; list: string }> {
    const folder = await folderOf({ "photos/x": "" });
    const names = Array.from({ length: count }, (_, i) => `photos/p${i}.jpg`);
    for (const name of names) await writeFile(join(folder, name), jpeg);
    await writeFile(join(folder, "list.txt"), names.map((name) => `${name}\n`).join(""));
    return { folder, out: join(folder, "out"), list: join(folder, "list.txt") };
  }
  const manifestOf = async (out: string, index: number): Promise<ShardManifest> =>
    JSON.parse(await readFile(join(out, `shard-00000${index}/manifest.json`), "utf8")) as ShardManifest;

  it("labels the parts of a list, one after the other, and does nothing twice", async () => {
    const { out, list } = await photosIn(7);
    await writeFile(list, `${await readFile(list, "utf8")}photos/none.jpg\n`);
    const args = ["--list", list, "--out", out, "--shard-size", "2"];
    const second = await predict([...args, "--shard", "2/3"]);
    expect(second).toMatchObject({ code: 0, errors: "" });
    expect(second.output).toContain("Photos: 8, in 4 shards of 2; part 2 of 3 has 1 of them\n");
    expect(second.output).toContain(`\n1 of 1 shard done, 2 photos labelled, in ${out}\n`);
    expect((await readdir(out)).sort()).toEqual(["shard-000001", "shards.jsonl"]);

    const half = await verify([out]);
    expect(half.code).toBe(1);
    expect(half.output).toContain("1 of 4 shards whole, 2 photos labelled\nProblems: 3 missing\n");
    expect(half.errors).toContain("missing: shard-000000 is not done.\n");

    for (const [part, count, photos] of [
      ["1/3", 2, 3],
      ["3/3", 1, 2],
    ] as const) {
      const { code, output } = await predict([...args, "--shard", part]);
      expect(code).toBe(0);
      expect(output).toContain(`${count} of ${count} shard`);
      expect(output).toContain(`${photos} photos labelled`);
    }
    const { output: whole, ...ended } = await verify([out, "--quick"]);
    expect(ended).toMatchObject({ code: 0, errors: "" });
    expect(whole).toBe(
      "4 of 4 shards whole, 7 photos labelled\n1 photo could not be labelled (the manifests say why)\n" +
        "Nothing is wrong, by the sizes.\n",
    );
    expect((await manifestOf(out, 3)).failures).toMatchObject([{ photo: "photos/none.jpg", line: 8 }]);

    // All of it again: nothing changes. What is torn is mended.
    await truncate(join(out, "shard-000002/photos/p4.mask.png"), 9);
    const before = await manifestOf(out, 2);
    const again = await predict(args);
    expect(again.output).toContain("shard-000000 (done before): 2 photos labelled\n");
    expect(again.output).toContain("4 of 4 shards done, 3 of them before, 7 photos labelled, 1 could not be");
    expect(await manifestOf(out, 2)).toEqual(before);
    expect((await verify([out])).code).toBe(0);
  });

  it("labels archives into archives", async () => {
    const { folder, out } = await photosIn(0);
    for (const index of [0, 1]) {
      const archive = pack();
      for (const name of ["a.jpg", "a.txt", "b.jpg"]) archive.entry({ name: `${index}/${name}` }, jpeg);
      archive.finalize();
      await writeFile(
        join(folder, `p-${index}.tar`),
        Buffer.concat(await collected(archive as AsyncIterable<Uint8Array>)),
      );
    }
    const args = ["--tar", join(folder, "p-{0..1}.tar"), "--out", out, "--outputs-as", "tar"];
    const { code, errors, output } = await predict(args);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toContain("Photos: 2 archives, a shard each\n");
    expect(output).toContain(`2 of 2 shards done, 4 photos labelled, in ${out}\n`);
    expect((await readdir(out)).sort()).toEqual(
      [0, 1]
        .flatMap((index) => [`shard-00000${index}.json`, `shard-00000${index}.tar`])
        .concat("shards.jsonl"),
    );
    expect((await predict(args)).output).toContain("2 of 2 shards done, 2 of them before, 4 photos labelled");
    expect((await verify([out])).output).toBe("2 of 2 shards whole, 4 photos labelled\nNothing is wrong.\n");
    await rm(join(folder, "p-1.tar"));
    expect((await predict(args)).output).toContain("shard-000001 (done before)");
  });

  it("takes its part from what Kubernetes or Slurm says", async () => {
    const { folder, out } = await photosIn(3);
    const args = ["--images", join(folder, "photos"), "--out", out, "--shard", "auto/3"];
    vi.stubEnv("JOB_COMPLETION_INDEX", "2");
    try {
      const { output, ...ended } = await predict(args);
      expect(ended).toMatchObject({ code: 0, errors: "" });
      expect(output).toContain(`Passed over in ${join(folder, "photos")}: 1 other file\n`);
      expect(await filesIn(join(out, "shard-000002"))).toEqual([
        ...["manifest.json", "p2.json", "p2.mask.png", "p2.overlay.png"],
      ]);
      vi.stubEnv("JOB_COMPLETION_INDEX", "");
      const { code, errors } = await predict(args);
      expect([code, errors]).toEqual([1, expect.stringMatching(/neither is set/)]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("refuses what it cannot do in a sentence, and goes on with other shards", async () => {
    const { folder, out, list } = await photosIn(4);
    const refused = async (args: string[], sentence: RegExp): Promise<void> => {
      const { code, errors } = await predict([...args, "--out", out]);
      expect(errors.trim()).toMatch(sentence);
      expect([code, errors.trim().split("\n").length]).toEqual([1, 1]);
    };
    await refused(["--shard", "1/2"], /^There are no photos to be labelled: give --list/);
    await refused(
      ["--list", list, "--images", folder],
      /'--list <file>' cannot be used with option '--images <path>'/,
    );
    await refused(
      ["--images", folder, "--root", folder, "--shard", "1/1"],
      /--root is of a list, and there is none/,
    );
    await refused(["--list", list, "--shard", "5/3"], /--shard 5\/3 is none of the parts 1 to 3/);
    await refused(["--list", list, "--outlines", "coco"], /coco is one file of all photos/);
    await refused(["--list", join(folder, "no.txt")], /no\.txt: there is no such file/);
    await refused(["--list", list, "--outputs-as", "zip"], /Allowed choices are files, tar/);
    expect(await readdir(out)).toEqual([]);

    const args = ["--list", list, "--out", out, "--shard-size", "1"];
    await mkdir(out, { recursive: true });
    expect((await predict([...args, "--shard", "1/4"])).code).toBe(0);
    await refused(["--list", list, "--shard-size", "2"], /begun with 1 photo a shard, not 2/);
    const { code, errors, output } = await predict([...args, "--mask-png", "indexed"]);
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/^\S+manifest\.json says that the shard was done before, with mask_png grey/),
    ]);
    expect(output).toContain("3 of 4 shards done, 3 photos labelled");
  });

  it("leaves nothing half done when it is killed, and ends as if it had not been", async () => {
    const { out, list, folder } = await photosIn(12);
    const args = (where: string): string[] => [
      ...["--model", model, "--list", list, "--out", where, "--shard-size", "5", "--batch-size", "1"],
    ];
    const undisturbed = join(folder, "undisturbed");
    expect((await runCommandQuickly("predict", args(undisturbed))).code).toBe(0);
    for (let kills = 0; kills < 3; kills++) {
      const { signal } = await runCommandLine("predict", args(out), {
        onOutput: (said, kill) => {
          if (!said.includes("Seen:")) return;
          // Somewhere in the next shard.
          setTimeout(() => kill("SIGKILL"), 150 * kills);
        },
      });
      expect(signal).toBe("SIGKILL");
      const names = (await readdir(out)).filter((name) => name.startsWith("shard-"));
      // What has its name is whole.
      for (const name of names) expect(await filesIn(join(out, name))).toContain("manifest.json");
    }
    expect((await runCommandQuickly("predict", args(out))).code).toBe(0);
    const leftovers = (await readdir(out)).filter((name) => name.startsWith("."));
    for (const name of leftovers) await rm(join(out, name), { recursive: true });
    const files = await filesIn(out);
    expect(files).toEqual(await filesIn(undisturbed));
    for (const name of files)
      expect(await readFile(join(out, name))).toEqual(await readFile(join(undisturbed, name)));
    expect((await verify([out])).code).toBe(0);
  });
});
