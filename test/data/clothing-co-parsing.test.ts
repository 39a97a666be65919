import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CLOTHING_CLASSES, readClassNames } from "../../src/data/class-names.ts";
import { decodePair } from "../../src/data/decode.ts";
import { decodeMask } from "../../src/data/mask.ts";
import { findPairs } from "../../src/data/pairs.ts";

/** Clothing Co-Parsing as its authors publish it, or a part of it. */
const published = process.env.BESPOKE_CCP;
/** The same photos with masks as PNG. */
const converted = process.env.BESPOKE_DATA;

if (!published) console.log("BESPOKE_CCP is not set: the published data set is not tested.");
else if (!converted) console.log("BESPOKE_DATA is not set: annotations are not compared with masks.");

test.runIf(published)("the published data set's pairs decode, and its classes have their names", async () => {
  const pairs = await findPairs(published!);
  for (const pair of pairs.slice(0, 8)) {
    const { photo, mask } = await decodePair(pair);
    expect([photo.width, photo.height]).toEqual([mask.width, mask.height]);
  }
  expect(await readClassNames(published!)).toEqual([...CLOTHING_CLASSES]);
});

test.runIf(published && converted)("annotations and PNG masks are equal, number for number", async () => {
  const pairs = (await findPairs(published!))
    .map((pair) => ({ ...pair, png: join(converted!, "masks", `${pair.name}.png`) }))
    .filter(({ png }) => existsSync(png))
    .slice(0, 8);
  expect(pairs.length).toBeGreaterThan(0);
  for (const { mask, png } of pairs) {
    const [annotation, picture] = [await decodeMask(mask), await decodeMask(png)];
    expect([annotation.width, annotation.height]).toEqual([picture.width, picture.height]);
    expect(Buffer.compare(annotation.labels, picture.labels)).toBe(0);
  }
  expect(await readClassNames(published!)).toEqual(await readClassNames(converted!));
});
