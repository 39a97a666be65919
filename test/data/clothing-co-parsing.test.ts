import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CLOTHING_CLASSES } from "../../src/data/class-names.ts";
import { readDeclared } from "../../src/data/classes/read-declared.ts";
import { plainLabelling } from "../../src/data/classes/labelling.ts";
import { decodePair } from "../../src/data/decode.ts";
import { decodeMask } from "../../src/data/mask.ts";
import { Place } from "../../src/data/formats/place.ts";
import { openSource } from "../../src/data/formats/recognise.ts";

/** Clothing Co-Parsing as its authors publish it, or a part of it. */
const published = process.env.BESPOKE_CCP;
/** The same photos with masks as PNG. */
const converted = process.env.BESPOKE_DATA;

const namesOf = async (folder: string): Promise<string[]> =>
  (await readDeclared((await Place.at(folder))!))!.classes.map(({ name }) => name);

if (!published) console.log("BESPOKE_CCP is not set: the published data set is not tested.");
else if (!converted) console.log("BESPOKE_DATA is not set: annotations are not compared with masks.");

test.runIf(published)("the published data set's pairs decode, and its classes have their names", async () => {
  const { pairs } = await openSource(published!, null, () => {});
  for (const pair of pairs.slice(0, 8)) {
    const { photo, mask } = await decodePair(pair, { labelling: plainLabelling(59) });
    expect([photo.width, photo.height]).toEqual([mask.width, mask.height]);
  }
  expect(await namesOf(published!)).toEqual([...CLOTHING_CLASSES]);
});

test.runIf(published && converted)("annotations and PNG masks are equal, number for number", async () => {
  const pairs = (await openSource(published!, null, () => {})).pairs
    .map((pair) => ({ ...pair, png: join(converted!, "masks", `${pair.name}.png`) }))
    .filter(({ png }) => existsSync(png))
    .slice(0, 8);
  expect(pairs.length).toBeGreaterThan(0);
  for (const { mask, png } of pairs) {
    const [annotation, picture] = [await decodeMask(mask), await decodeMask(png)];
    expect([annotation.width, annotation.height]).toEqual([picture.width, picture.height]);
    expect(Buffer.compare(annotation.labels, picture.labels)).toBe(0);
  }
  expect(await namesOf(published!)).toEqual(await namesOf(converted!));
});
