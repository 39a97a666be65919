/** @file What `writeModel` makes of a path, and what of a path it cannot write. */
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadWeights } from "../../src/weights/load.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { FileError } from "../../src/files/file-error.ts";
import { formatOfPath, writeModel } from "../../src/weights/write.ts";
import { float32 } from "./arbitrary-tensors.ts";
import { checksums, randomEncoder } from "./random-network.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
const tensors = randomEncoder();

describe("formatOfPath", () => {
  test.each([
    ["a/model.safetensors", "safetensors", "a/model.safetensors"],
    ["a/Model.H5", "keras-h5", "a/Model.H5"],
    ["model.hdf5", "keras-h5", "model.hdf5"],
    ["model.onnx", "onnx", "model.onnx"],
    ["a/model.json", "tfjs", "a"],
    ["models/mine", "tfjs", "models/mine"],
    ["models/v1.2/", "tfjs", "models/v1.2/"],
  ])("%s is %s", async (path, format, file) => {
    expect(await formatOfPath(path)).toEqual({ format, file });
  });

  test("a folder that is there is one for tfjs, whatever its name", async () => {
    await mkdir(inFolder("v1.3"));
    expect((await formatOfPath(inFolder("v1.3"))).format).toBe("tfjs");
  });

  test.each([
    ["model.keras", "Cannot tell in what format to write model.keras: give a name that ends in .safetensors"],
    ["model.pt", "or a folder for a tfjs model."],
    ["unet.weights.h5", "Keras 3 expects its own layout; give one that ends in .h5 alone"],
  ])("%s is refused", async (path, why) => {
    await expect(formatOfPath(path)).rejects.toThrow(FileError);
    await expect(formatOfPath(path)).rejects.toThrow(why);
  });
});

describe("writeModel", () => {
  test("a checkpoint's network as safetensors, without its run, and again byte by byte", async () => {
    const slots = new Map([["adam_finetune/step", float32([], 3)], ...tensors]);
    const run = { image_size: "64", classes: '["a"]', epoch: "3", state: '{"step":0}' };
    const [first, second] = [inFolder("first.safetensors"), inFolder("second.safetensors")];
    await writeSafetensors(inFolder("run.safetensors"), slots, run);
    await writeModel(first, await loadWeights(inFolder("run.safetensors")));
    const read = await loadWeights(first);
    expect(checksums(read.tensors)).toEqual(checksums(tensors));
    expect(read.metadata).toEqual({
      ...{ image_size: "64", classes: '["a"]', epoch: "3", encoder: "densenet121" },
    });
    await writeModel(second, read);
    expect((await readFile(second)).equals(await readFile(first))).toBe(true);
  });

  test("replaces a file only when told to", async () => {
    const path = inFolder("taken.onnx");
    await writeFile(path, "mine");
    const model = { tensors, metadata: {} };
    await expect(writeModel(path, model)).rejects.toThrow(
      `Cannot write ${path}: there is something of that name; choose another path or replace it with --force.`,
    );
    expect(await readFile(path, "utf8")).toBe("mine");
    await writeModel(path, model, { force: true });
    expect((await readFile(path)).length).toBeGreaterThan(28_000_000);
  });

  test("takes a link for something, and with force replaces what it leads to", async () => {
    const [link, nowhere] = [inFolder("link.safetensors"), inFolder("nowhere.safetensors")];
    const model = { tensors, metadata: {} };
    await symlink(nowhere, link);
    await expect(writeModel(link, model)).rejects.toThrow("there is something of that name");
    expect(await readlink(link)).toBe(nowhere);
    await writeFile(nowhere, "mine");
    await writeModel(link, model, { force: true });
    expect(await readlink(link)).toBe(nowhere);
    expect((await lstat(nowhere)).size).toBeGreaterThan(28_000_000);
  });

  test("two that write the same file at once: one of them does", async () => {
    const path = inFolder("same.safetensors");
    const both = [1, 2].map((epoch) => writeModel(path, { tensors, metadata: { epoch: String(epoch) } }));
    const ends = await Promise.allSettled(both);
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const written = ends.findIndex(({ status }) => status === "fulfilled") + 1;
    expect((await loadWeights(path)).metadata.epoch).toBe(String(written));
  });

  test.each(["a.safetensors", "a.h5", "a.onnx", "a"])(
    "of %s nothing is left when it is stopped",
    async (name) => {
      const folder = inFolder(`stopped-${name}`);
      await mkdir(folder);
      const controller = new AbortController();
      const { signal } = controller;
      const writing = writeModel(join(folder, name), { tensors, metadata: {} }, { signal });
      setTimeout(() => controller.abort(new Error("Interrupted.")), 20);
      await expect(writing).rejects.toThrow("Interrupted.");
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test.each(["model.safetensors", "model.h5", "model.onnx", "model"])("no folder for %s", async (name) => {
    const path = inFolder(`absent/${name}`);
    await expect(writeModel(path, { tensors, metadata: {} })).rejects.toThrow(
      `Cannot write ${path}: its folder does not exist; create it or choose another path.`,
    );
  });

  test("what does not fit is refused before anything is written", async () => {
    const some = new Map([...tensors].slice(0, 9));
    await mkdir(inFolder("clean"));
    for (const name of ["a.onnx", "a.h5", "a.safetensors", "a"]) {
      const path = join(inFolder("clean"), name);
      await expect(writeModel(path, { tensors: some, metadata: {} }, { source: "in.h5" })).rejects.toThrow(
        /^The weights file in\.h5 has no tensor "conv2_block1_1_conv\/.+ more of 604 do not fit/,
      );
    }
    const embed = writeModel(inFolder("clean/a.h5"), { tensors, metadata: {} }, { embed: true });
    await expect(embed).rejects.toThrow("Only ONNX can take in the preparation of photos");
    expect(await readdir(inFolder("clean"))).toEqual([]);
  });
});
