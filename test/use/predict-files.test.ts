import { execFileSync } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolderOfOutput, makeOutputFolder } from "../../src/use/output-folder.ts";
import { outputNames } from "../../src/use/output-sink.ts";
import { photosToLabel } from "../../src/use/predict-files.ts";
import { folderOf } from "../data/folder.ts";

describe("photosToLabel", () => {
  it("takes every picture right in a folder, and names the outputs after it", async () => {
    const folder = await folderOf({
      "b.PNG": "",
      "a.jpeg": "",
      "d.webp": "",
      "c.x.avif": "",
      ".hidden.png": "",
      "notes.txt": "",
      "deeper/e.png": "",
    });
    const { photos, passedOver } = await photosToLabel(folder, "out");
    expect(passedOver).toBe("1 .txt file and 1 folder");
    const names = ["a.jpeg", "b.PNG", "c.x.avif", "d.webp"];
    expect(photos.map(({ photo }) => photo)).toEqual(names.map((name) => join(folder, name)));
    expect(photos.map(({ stem }) => stem)).toEqual(["a", "b", "c.x", "d"]);
    expect(outputNames("c.x")).toEqual({
      mask: "c.x.mask.png",
      overlay: "c.x.overlay.png",
      shares: "c.x.json",
      logits: "c.x.logits.safetensors",
      geoJson: "c.x.geojson",
    });
  });

  it("takes a single photo of any name, also into its own folder", async () => {
    const folder = await folderOf({ "photo.bin": "" });
    const {
      photos: [only],
      passedOver,
    } = await photosToLabel(join(folder, "photo.bin"), folder);
    expect(passedOver).toBeNull();
    expect(only.stem).toBe("photo");
  });

  it("refuses photos that would overwrite each other's outputs", async () => {
    const folder = await folderOf({ "a.jpg": "", "a.png": "", "b.png": "" });
    await expect(photosToLabel(folder, "out")).rejects.toThrow(
      `${join(folder, "a.jpg")} and ${join(folder, "a.png")} would both be written to ${join("out", "a.mask.png")}`,
    );
    await expect(photosToLabel(await folderOf({ "a.jpg": "", "A.png": "" }), "out")).rejects.toThrow(/both/);
  });

  it("refuses to write among the photos, whatever the folder is called", async () => {
    const folder = await folderOf({ "photos/a.jpg": "" });
    await symlink(join(folder, "photos"), join(folder, "same"));
    await expect(photosToLabel(join(folder, "photos"), join(folder, "same"))).rejects.toThrow(
      /give another --out/,
    );
  });

  it("never writes over a photo that it reads", async () => {
    const folder = await folderOf({ "photos/a.jpg": "", "out/a.mask.png": "" });
    await symlink(join(folder, "out", "a.mask.png"), join(folder, "photos", "b.png"));
    await expect(photosToLabel(join(folder, "photos"), join(folder, "out"))).rejects.toThrow(
      `${join(folder, "photos", "b.png")} leads to ${join(folder, "out", "a.mask.png")}, which would be overwritten`,
    );
  });

  it("says that there is nothing to label", async () => {
    const folder = await folderOf({ "a.HEIC": "", "b.heic": "", README: "", "c.bmp": "" });
    await expect(photosToLabel(folder, "out")).rejects.toThrow(
      `${folder} holds no photo (but 2 .heic files, 1 .bmp file and 1 file without an ending): put JPEG`,
    );
    await expect(photosToLabel(await folderOf(), "out")).rejects.toThrow(/holds no photo: put JPEG/);
    await expect(photosToLabel(join(folder, "none"), "out")).rejects.toThrow(/^There is no photo or folder/);
  });
});

it.skipIf(process.platform === "win32")("does not wait for a pipe's writer", async () => {
  const folder = await folderOf({ "a.jpg": "" });
  execFileSync("mkfifo", [join(folder, "b.jpg")]);
  await symlink(join(folder, "b.jpg"), join(folder, "c.jpg"));
  const { photos, passedOver } = await photosToLabel(folder, "out");
  expect(photos).toHaveLength(1);
  expect(passedOver).toBe("2 .jpg files");
  await expect(photosToLabel(join(folder, "b.jpg"), "out")).rejects.toThrow(/not a file or a folder/);
});

describe("makeOutputFolder", () => {
  it("makes what is missing and leaves what is there", async () => {
    const folder = await folderOf({ file: "" });
    await makeOutputFolder(join(folder, "a", "b"));
    await makeOutputFolder(join(folder, "a", "b"));
    await mkdir(join(folder, "a", "b", "c"));
    await expect(makeOutputFolder(join(folder, "file"))).rejects.toThrow(/cannot be made \(it is a file\)/);
    await expect(makeOutputFolder(join(folder, "file", "x"))).rejects.toThrow(/give another --out/);
    await expect(makeOutputFolder("/proc/nothing/here")).rejects.toThrow(/give another --out/);
  });

  it("knows a file's name from a folder's, and the flag that gave it", async () => {
    const folder = await folderOf({ file: "", "a/report.json": "" });
    await makeFolderOfOutput(join(folder, "b", "report.json"), "--json");
    await makeFolderOfOutput(join(folder, "a", "report.json"), "--json");
    await expect(makeFolderOfOutput(join(folder, "a"), "--json")).rejects.toThrow(
      `The output ${join(folder, "a")} is a folder: give --json the name of a file.`,
    );
    await expect(makeFolderOfOutput(join(folder, "file", "x"), "--json")).rejects.toThrow(
      /give another --json/,
    );
  });
});
