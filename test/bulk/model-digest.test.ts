import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelDigest } from "../../src/bulk/model-digest.ts";
import type { Model } from "../../src/use/model.ts";
import { folderOf } from "../data/folder.ts";

const digest = (file: string): Promise<string> => modelDigest({ file } as Model);

describe("modelDigest", () => {
  it("is that of the file", async () => {
    const folder = await folderOf({ "m.safetensors": "weights" });
    expect(await digest(join(folder, "m.safetensors"))).toBe(
      createHash("sha256").update("weights").digest("hex"),
    );
    await expect(digest(join(folder, "none"))).rejects.toThrow(/no such file/);
  });

  it("tells the weights of tfjs models apart, by folder and by file", async () => {
    const json = JSON.stringify({ weightsManifest: [{ paths: ["a.bin"] }, { paths: ["b.bin"] }] });
    const folder = await folderOf({ "model.json": json, "a.bin": "1", "b.bin": "2", "c.bin": "3" });
    const before = await digest(folder);
    expect(await digest(join(folder, "model.json"))).toBe(before);
    await writeFile(join(folder, "c.bin"), "another");
    expect(await digest(folder)).toBe(before);
    await writeFile(join(folder, "b.bin"), "another");
    expect(await digest(folder)).not.toBe(before);
  });
});
