import { expect, test } from "vitest";
import { resolveConfig } from "../../src/config/index.ts";
import { describeClasses } from "../../src/train/describe-data.ts";
import { openData } from "../../src/train/run-data.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";

async function described(files: Record<string, Uint8Array | string>): Promise<string[]> {
  const data = await folderOf(files);
  const said = { data, imageSize: 32, batchSize: 2, cache: false };
  const opened = await openData(resolveConfig([{ file: null, said }], "lavapipe"), () => {});
  await opened.read({});
  return (await describeClasses(opened, data)).map((sentence) => sentence.replaceAll(data, "DIR"));
}

test("says of a run's photos what classes they hold, which are rare, and whether parts share photos", async () => {
  const files: Record<string, Uint8Array | string> = { "labels.csv": "0,sky\n1,sea\n2,ship\n" };
  files["train.txt"] = "a\nb\n";
  files["val.txt"] = "c\n";
  const same = await photo(32, 32).png().toBuffer();
  for (const name of "abc") {
    files[`images/${name}.png`] = name === "b" ? await photo(32, 32).negate().png().toBuffer() : same;
    files[`masks/${name}.png`] = await greyPng(32, 32, (x) => (x < 24 ? 0 : x < 28 ? 255 : 1));
  }
  expect(await described(files)).toEqual([
    "Read as folders of photos and masks, 3 classes, of the pixels sky 85.7 %, sea 14.3 %; 12.5 % of the pixels do not count.",
    "3 classes are in fewer than 10 training photos: sky (2), sea (2), ship (0).",
    "1 validation photo (images/c.png, for one) is trained on as well, so that validation will look too good. npm run data -- DIR shows all of it.",
  ]);
});
