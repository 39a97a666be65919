import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { plainLabelling } from "../../src/data/classes/labelling.ts";
import { decodePair } from "../../src/data/decode.ts";
import { turn } from "../../src/data/orientation.ts";
import { folderOf } from "./folder.ts";
import { chunk, pngFile } from "./png-file.ts";
import { sentence } from "./sentence.ts";

const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8];

test("labels are turned as sharp turns a photo, for every orientation", async () => {
  const labels = Uint8Array.from({ length: 15 }, (_, i) => 10 * i);
  for (const orientation of ORIENTATIONS) {
    const file = await sharp(labels, { raw: { width: 5, height: 3, channels: 1 } })
      .toColourspace("b-w")
      .withMetadata({ orientation })
      .tiff({ compression: "none" })
      .toBuffer();
    const { data, info } = await sharp(file).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const turned = turn(labels, { width: 5, height: 3 }, orientation);
    expect([turned.width, turned.height], `orientation ${orientation}`).toEqual([info.width, info.height]);
    expect([...turned.labels], `orientation ${orientation}`).toEqual(
      [...data].filter((_, i) => i % info.channels === 0),
    );
  }
});

/** The chunk of a PNG that holds nothing but an orientation. */
const exif = (orientation: number): Buffer =>
  chunk(
    "eXIf",
    Buffer.from([
      ...Buffer.from("MM"),
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1,
      1,
      0x12,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      orientation,
      0,
      0,
      0,
      0,
      0,
      0,
    ]),
  );

interface Side {
  width: number;
  height: number;
  /** Of the pixels as stored. */
  values: ArrayLike<number>;
  orientation?: number;
}

/** Both as grey PNGs. */
async function pair(photo: Side, mask: Side) {
  const file = ({ values, orientation, ...size }: Side): Buffer =>
    pngFile({
      ...size,
      ...{ depth: 8, colourType: 0, samples: values },
      chunks: orientation === undefined ? [] : [exif(orientation)],
    });
  const folder = await folderOf({ "i.png": file(photo), "m.png": file(mask) });
  return decodePair(
    { name: "0", image: join(folder, "i.png"), mask: join(folder, "m.png") },
    { labelling: plainLabelling(59) },
  );
}

const SIZE = { width: 5, height: 3 };
const VALUES = Uint8Array.from({ length: 15 }, (_, i) => i);

/** What a pair becomes whose photo's pixels are its classes: the two have to be equal then. */
async function becomes(
  photo: Side,
  mask: Side,
): Promise<{ labels: number[]; levels: number[]; remarks: readonly string[] }> {
  const decoded = await pair(photo, mask);
  expect([decoded.photo.width, decoded.photo.height]).toEqual([decoded.mask.width, decoded.mask.height]);
  const levels = [...decoded.photo.pixels].filter((_, i) => i % 3 === 0);
  return { labels: [...decoded.mask.labels], levels, remarks: decoded.remarks };
}

test("a photo and a mask with the same orientation are turned alike", async () => {
  for (const orientation of ORIENTATIONS) {
    const side = { ...SIZE, values: VALUES, orientation };
    const { labels, levels, remarks } = await becomes(side, side);
    expect(labels).toEqual(levels);
    expect(remarks).toEqual(orientation === 1 ? [] : ["turnedAlike"]);
  }
});

test("a mask without orientation lies on the upright photo, or on the stored one where only that size fits", async () => {
  for (const orientation of ORIENTATIONS.slice(1)) {
    const photo = { ...SIZE, values: VALUES, orientation };
    const upright = turn(VALUES, SIZE, orientation);
    const drawnUpright = await becomes(photo, { ...upright, values: upright.labels });
    expect(drawnUpright.labels).toEqual(drawnUpright.levels);
    expect(drawnUpright.remarks).toEqual([orientation < 5 ? "takenUpright" : "drawnUpright"]);
    if (orientation < 5) continue;
    const asStored = await becomes(photo, { ...SIZE, values: VALUES });
    expect(asStored.labels).toEqual(asStored.levels);
    expect(asStored.remarks).toEqual(["drawnAsStored"]);
  }
});

test("a square photo that is turned has its mask upright", async () => {
  const size = { width: 3, height: 3 };
  const photo = { ...size, values: VALUES.subarray(0, 9), orientation: 6 };
  const { labels } = turn(VALUES.subarray(0, 9), size, 6);
  const decoded = await becomes(photo, { ...size, values: labels });
  expect(decoded).toEqual({ labels: [...labels], levels: [...labels], remarks: ["takenUpright"] });
});

test("a mask with an orientation of its own is shown by it, unless only the stored sizes fit", async () => {
  const photo = { ...SIZE, values: VALUES };
  const half = await becomes(photo, { ...SIZE, values: VALUES.toReversed(), orientation: 3 });
  expect(half.labels).toEqual(half.levels);
  expect(half.remarks).toEqual(["maskTurned"]);
  const quarter = await becomes(photo, { ...SIZE, values: VALUES, orientation: 6 });
  expect(quarter.labels).toEqual(quarter.levels);
  expect(quarter.remarks).toEqual(["drawnAsStored"]);
});

test("sizes that fit neither way are told with the orientations", async () => {
  const small = { width: 4, height: 4, values: new Uint8Array(16) };
  expect(await sentence(pair({ ...SIZE, values: VALUES, orientation: 6 }, small))).toMatch(
    /m\.png is 4×4 pixels and its photo 3×5, turned by its EXIF orientation 6: give both the same size\.$/,
  );
});
