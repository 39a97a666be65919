import { writeFile } from "node:fs/promises";
import { File, ready } from "h5wasm/node";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { readKerasArchive } from "../../src/weights/keras-archive.ts";
import { loadWeights } from "../../src/weights/load.ts";
import { FileError } from "../../src/files/file-error.ts";
import { readZipEntries } from "../../src/files/zip-entries.ts";
import { float32 } from "./arbitrary-tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { zipArchive, type ZipMember } from "./zip-archive.ts";

const inFolder = temporaryFolder();
let weights: Buffer;
beforeAll(async () => {
  await ready;
  const path = inFolder("model.weights.h5");
  const file = new File(path, "w");
  file
    .create_group("layers")
    .create_group("dense")
    .create_group("vars")
    .create_dataset({
      name: "0",
      data: Float32Array.of(1, Number.NaN),
      shape: [2],
    });
  file.close();
  weights = await readFile(path);
});

const config = Buffer.from('{"class_name":"Own","config":{}}');
const member = (name: string, bytes: Uint8Array = config, more: Partial<ZipMember> = {}): ZipMember => ({
  name,
  bytes,
  ...more,
});
const whole = (): ZipMember[] => [
  member("metadata.json", Buffer.from('{"keras_version":"3.8.0"}')),
  member("config.json"),
  member("model.weights.h5", weights),
];

let archives = 0;
async function archive(members: readonly ZipMember[], options = {}): Promise<string> {
  const path = inFolder(`a${archives++}.keras`);
  await writeFile(path, zipArchive(members, options));
  return path;
}

describe("readKerasArchive", () => {
  test("stored and deflated, with other files beside", async () => {
    for (const deflate of [false, true]) {
      const path = await archive([
        ...whole().map((file) => ({ ...file, deflate })),
        member("assets/", Buffer.alloc(0)),
        member("assets/words.txt"),
      ]);
      const { tensors, metadata, config: json } = await readKerasArchive(path);
      expect([...tensors]).toEqual([["layers/dense/vars/0", float32([2], 1, Number.NaN)]]);
      expect(metadata).toEqual({ keras_version: "3.8.0" });
      expect(json).toEqual(JSON.parse(config.toString()));
    }
  });

  test.each<[string, (members: ZipMember[]) => ZipMember[], string]>([
    [
      "no configuration",
      (all) => [all[0], all[2]],
      'it holds no config.json; save it anew with model.save("x.keras")',
    ],
    ["no weights", (all) => all.slice(0, 2), "it holds no model.weights.h5"],
    [
      "a configuration that is no JSON",
      (all) => [member("config.json", Buffer.from("{")), all[2]],
      "its configuration is not JSON",
    ],
    [
      "a configuration nested without end",
      (all) => [member("config.json", Buffer.from("[".repeat(1e6))), all[2]],
      "its configuration is not JSON (it is nested deeper than 100 levels)",
    ],
    [
      "another network",
      (all) => [
        member("config.json", Buffer.from('{"class_name":"Sequential","config":{"layers":[]}}')),
        all[2],
      ],
      'it has no ZeroPadding2D in the place of "zero_padding2d_1"',
    ],
    [
      "weights that are none",
      (all) => [all[1], member("model.weights.h5")],
      "its model.weights.h5 is not an HDF5 file",
    ],
    ["the way out", (all) => [...all, member("../x")], "invalid relative path: ../x"],
    ["an absolute path", (all) => [...all, member("/etc/passwd")], "absolute path: /etc/passwd"],
    ["Windows' way out", (all) => [...all, member("a\\..\\x")], "invalid characters in fileName"],
    ["a name twice", (all) => [...all, all[1]], 'it holds "config.json" twice'],
    [
      "an encrypted file",
      (all) => [all[1], { ...all[2], flags: 1, compressedSize: all[2].bytes.length + 12 }],
      '"model.weights.h5" is encrypted',
    ],
    [
      "strong encryption",
      (all) => [all[1], { ...all[2], flags: 0x41 }],
      "strong encryption is not supported",
    ],
    [
      "another compression",
      (all) => [all[1], { ...all[2], method: 12 }],
      '"model.weights.h5" is compressed by method 12',
    ],
    [
      "a wrong checksum",
      (all) => [all[1], { ...all[2], crc: 1 }],
      '"model.weights.h5" does not have its checksum',
    ],
    [
      "a size beyond the archive",
      (all) => [all[1], { ...all[2], size: 1e9, compressedSize: 1e9 }],
      "cannot be found (file data overflows file bounds",
    ],
    [
      "more than a file may have",
      (all) => [{ ...all[1], size: 1e9, compressedSize: 1e9 }, all[2]],
      '"config.json" claims 1000000000 bytes, more than the 8000000 allowed',
    ],
    [
      "more bytes than a deflated file has",
      (all) => [all[1], { ...all[2], deflate: true, size: 99 }],
      '"model.weights.h5" cannot be inflated to the 99 bytes it claims',
    ],
    [
      "fewer",
      (all) => [{ ...all[1], deflate: true, size: 999 }, all[2]],
      '"config.json" is not the 999 bytes it claims',
    ],
    [
      "a bomb",
      (all) => [all[1], member("model.weights.h5", Buffer.alloc(2e7), { deflate: true })],
      /claims to become 20000000 bytes of \d{5}\b/.source,
    ],
    [
      "sizes that zip64 should tell",
      (all) => [all[1], { ...all[2], size: 0xffffffff, compressedSize: 0xffffffff }],
      "more than the 2147483648 allowed",
    ],
  ])("%s: refused", async (_, change, why) => {
    const path = await archive(change(whole()));
    const error: unknown = await loadWeights(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(
      new RegExp(why.includes("\\d") ? why : why.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")),
    );
    expect((error as Error).message).toMatch(/^[^\n]{1,700}\.$/);
  });

  test("an archive of more files than it has, of too many, a truncated one, text", async () => {
    await expect(readKerasArchive(await archive(whole(), { count: 4 }))).rejects.toThrow(
      "a part of it lies beyond its end",
    );
    await expect(readKerasArchive(await archive(whole(), { count: 60_000 }))).rejects.toThrow(
      "claims 60000 files",
    );
    const bytes = zipArchive(whole());
    await writeFile(inFolder("cut.keras"), bytes.subarray(0, bytes.length - 30));
    await expect(loadWeights(inFolder("cut.keras"))).rejects.toThrow(
      "as a zip archive: End of central directory record",
    );
    await writeFile(inFolder("text.keras"), "<html>");
    await expect(loadWeights(inFolder("text.keras"))).rejects.toThrow(FileError);
    await writeFile(inFolder("empty.keras"), "");
    await expect(loadWeights(inFolder("empty.keras"))).rejects.toThrow(FileError);
    await expect(loadWeights(inFolder("none.keras"))).rejects.toThrow("there is no such file");
  });

  test("zip64 that points beyond what can be counted", async () => {
    const bytes = Buffer.from(zipArchive(whole()));
    const locator = Buffer.alloc(20);
    locator.write("PK\x06\x07", 0, "latin1");
    locator.writeBigUInt64LE(2n ** 64n - 1n, 8);
    const end = bytes.length - 22;
    await writeFile(
      inFolder("far.keras"),
      Buffer.concat([bytes.subarray(0, end), locator, bytes.subarray(end)]),
    );
    await expect(readKerasArchive(inFolder("far.keras"))).rejects.toThrow("a part of it lies beyond its end");
  });

  test("is found by its first bytes, whatever its name", async () => {
    for (const name of ["model", "model.h5"]) {
      await writeFile(inFolder(name), zipArchive(whole()));
      expect((await loadWeights(inFolder(name))).format).toBe("keras");
    }
  });

  test.each([
    ["archive/data.pkl", "it is a PyTorch pickle; save its weights as safetensors"],
    ["model.weights.npz", "its weights are stored as NumPy arrays (model.weights.npz); load it in Keras"],
    ["saved/saved_model.pb", "it is a zipped TensorFlow SavedModel; load it in Python"],
    ["unet/model.h5", "it is a zip archive that holds unet/model.h5; unpack it and give that"],
    ["notes.txt", "it holds no config.json; save it anew"],
  ])("an archive of %s: refused for what it is", async (name, why) => {
    const path = await archive([member(name, Buffer.from("x"))]);
    await expect(loadWeights(path)).rejects.toThrow(why);
  });
});

test("readZipEntries gives what there is of what is wanted", async () => {
  const path = await archive([
    member("a", Buffer.from("A")),
    member("b", Buffer.alloc(0), { deflate: true }),
  ]);
  expect(await readZipEntries(path, { a: 1, b: 0, c: 5 })).toEqual({
    a: Uint8Array.of(65),
    b: new Uint8Array(0),
  });
});
