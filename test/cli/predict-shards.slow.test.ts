import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { filesIn } from "../bulk/files-in.ts";
import { folderOf, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { saveTinyModel } from "../train/tiny-model.ts";
import { runCommandLine, runCommandQuickly } from "./command-process.ts";
import type { Ended, ProcessOptions } from "./command-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

describe("npm run predict, of shards, by many processes that are killed", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let model: string;
  beforeAll(async () => {
    model = temporary("model.safetensors");
    await saveTinyModel(gpu(), model);
  });

  const predict = (args: readonly string[], options: ProcessOptions = {}): Promise<Ended> =>
    runCommandLine("predict", args, { ...options, whiteFigures: true });

  it.each(["files", "tar"])("ends with the bytes of one that was left alone, outputs as %s", async (kind) => {
    const folder = await folderOf();
    const jpeg = await photo(24, 16).jpeg().toBuffer();
    const names = Array.from({ length: 24 }, (_, i) => `p${i}.jpg`);
    for (const name of names) await writeFile(join(folder, name), jpeg);
    await writeFile(join(folder, "list.txt"), names.join("\n"));
    const args = (out: string): string[] => [
      ...["--model", model, "--list", join(folder, "list.txt"), "--out", out],
      ...["--shard-size", "4", "--batch-size", "2", "--outputs-as", kind],
    ];
    const [out, alone] = [join(folder, "out"), join(folder, "alone")];
    expect(await predict(args(alone))).toMatchObject({ code: 0, errors: "" });

    // All of them work on all shards, and die at different moments.
    for (let round = 0; round < 3; round++) {
      const ended = await Promise.all(
        [0, 1, 2].map((worker) =>
          predict(args(out), {
            onOutput: (said, kill) => {
              if (said.includes("Seen:")) setTimeout(() => kill("SIGKILL"), 37 * (3 * round + worker));
            },
          }),
        ),
      );
      for (const { signal, code } of ended) expect([signal, code]).toContain(signal === null ? 0 : "SIGKILL");
    }
    // Two that live.
    const last = await Promise.all([0, 1].map(() => predict(args(out))));
    for (const { code, errors } of last) expect([code, errors]).toEqual([0, ""]);
    for (const name of await readdir(out))
      if (name.startsWith(".")) await rm(join(out, name), { recursive: true });
    const files = await filesIn(out);
    expect(files).toEqual(await filesIn(alone));
    for (const name of files)
      expect(await readFile(join(out, name))).toEqual(await readFile(join(alone, name)));
    const { code, output } = await runCommandQuickly("verify", [out]);
    expect([code, output]).toEqual([0, "6 of 6 shards whole, 24 photos labelled\nNothing is wrong.\n"]);
  });
});
