import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderOf, greyPng, photo } from "../data/folder.ts";
import { sharp } from "../../src/data/sharp.ts";
import { runCommandLine } from "./command-process.ts";

async function twoPhotos(): Promise<string> {
  return folderOf({
    "set/images/a.png": await photo(40, 30).png().toBuffer(),
    "set/images/b.png": await photo(40, 30).negate().png().toBuffer(),
    "set/masks/a.png": await greyPng(40, 30, (x) => (x < 9 ? 0 : 255)),
    "set/masks/b.png": await greyPng(40, 30, (_, y) => (y < 9 ? 0 : 255)),
  });
}

test("says what a set holds, writes report and picture, and exits with 0", async () => {
  const folder = await twoPhotos();
  const [json, picture] = [join(folder, "out/report.json"), join(folder, "out/picture.png")];
  const { code, output } = await runCommandLine("data", [
    ...[join(folder, "set"), "--json", json, "--picture", picture, "--no-cache"],
  ]);
  expect(code).toBe(0);
  expect(output).toContain("Photos   2: 1 to train on, 1 to validate on (split by chance, --split-seed)");
  expect(output).toContain('255 is class 1, "foreground"');
  expect(output).toContain("It can be trained on.");
  const report = JSON.parse(await readFile(json, "utf8")) as { classes: { name: string; pixels: number }[] };
  expect(report.classes.map(({ name, pixels }) => [name, pixels])).toEqual([
    ["background", 9 * 30 + 9 * 40],
    ["foreground", 31 * 30 + 21 * 40],
  ]);
  expect((await sharp(await readFile(picture)).metadata()).width).toBe(1660);
});

test("exits with 1, and says why, where training would be refused, and draws what there is", async () => {
  const folder = await twoPhotos();
  await writeFile(join(folder, "set/masks/b.png"), "no picture");
  const picture = join(folder, "picture.png");
  const { code, output } = await runCommandLine("data", [
    join(folder, "set"),
    "--picture",
    picture,
    "--no-cache",
  ]);
  expect(code).toBe(1);
  expect(output).toMatch(/Cannot be used \(1\):\n {2}.*masks\/b\.png/);
  expect(output).toContain("It cannot be trained on as it is.");
  await access(picture);
});
