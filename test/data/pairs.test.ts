import { join } from "node:path";
import { expect, test } from "vitest";
import { CLOTHING_CLASSES, readClassNames } from "../../src/data/class-names.ts";
import { DataError } from "../../src/data/data-error.ts";
import { findPairs } from "../../src/data/pairs.ts";
import { folderOf } from "./folder.ts";

const empty = (...paths: string[]): Record<string, string> => Object.fromEntries(paths.map((p) => [p, ""]));

async function failure(files: Record<string, string>, ...below: string[]): Promise<string> {
  const folder = join(await folderOf(files), ...below);
  const error: unknown = await findPairs(folder).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).not.toContain("\n");
  expect(message.endsWith(".")).toBe(true);
  return message.replaceAll(folder, "DIR");
}

test("pairs files by name, whatever the extension's case, in code-unit order", async () => {
  const folder = await folderOf(
    empty(
      ...["images/b.JPG", "images/a.jpeg", "images/C.png", "images/10.jpg", "images/9.jpg"],
      ...["masks/b.png", "masks/a.PNG", "masks/C.png", "masks/10.png", "masks/9.jpg"],
      ...["images/notes.txt", "masks/.hidden.png", "images/._a.jpg"],
    ),
  );
  const pairs = await findPairs(folder);
  expect(pairs.map((pair) => pair.name)).toEqual(["10", "9", "C", "a", "b"]);
  expect(pairs[3]).toEqual({
    name: "a",
    image: join(folder, "images", "a.jpeg"),
    mask: join(folder, "masks", "a.PNG"),
  });
});

test("says which folder is missing, empty or no folder", async () => {
  expect(await failure({}, "nowhere")).toBe(
    "There is no folder DIR: give a folder that holds images/ and masks/.",
  );
  expect(await failure(empty("file"), "file")).toContain("DIR is not a folder");
  expect(await failure(empty("images/a.png"))).toContain("There is no folder DIR/masks");
  expect(await failure(empty("images/a.txt", "masks/a.png"))).toContain(
    "DIR/images holds no PNG or JPEG file",
  );
});

test("names the first photo without a mask and the first mask without a photo, and how many", async () => {
  expect(await failure(empty("images/1.jpg", "images/2.jpg", "images/3.jpg", "masks/1.png"))).toBe(
    "DIR/images/2.jpg has no mask (2 photos of 3 without one): add DIR/masks/2.png or remove the photo.",
  );
  expect(await failure(empty("images/1.jpg", "masks/0.png", "masks/1.png"))).toBe(
    "DIR/masks/0.png has no photo (1 mask of 2 without one): add DIR/images/0.jpg or remove the mask.",
  );
});

test("refuses two files of one name", async () => {
  expect(await failure(empty("images/a.jpg", "images/a.png", "masks/a.png"))).toBe(
    "DIR/images holds a.jpg and a.png, which share a name (1 such case): keep one of them.",
  );
});

test("reads class names from labels.csv, and numbers classes without one", async () => {
  const labels = (text: string): Promise<string> => folderOf({ "labels.csv": text });
  expect(await readClassNames(await folderOf(), 3)).toEqual(["class 0", "class 1", "class 2"]);
  const names = await readClassNames(await labels('label,name\r\n0,null\r\n2,"long, coat"\r\n'), 3);
  expect(names).toEqual(["null", "class 1", "long, coat"]);
  for (const [text, words] of [
    ["label,name\n0,null\nhat", 'line 3, is "hat"'],
    ["0,null\n59,hat", "line 2, names class 59"],
    ["0,null\n0,hat", "line 2, names class 0 again"],
  ]) {
    await expect(readClassNames(await labels(text))).rejects.toThrow(words);
  }
  expect(CLOTHING_CLASSES).toHaveLength(59);
  expect([0, 14, 41, 58].map((label) => CLOTHING_CLASSES[label])).toEqual([
    "null",
    "dress",
    "skin",
    "wedges",
  ]);
});
