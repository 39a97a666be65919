import { expect, it } from "vitest";
import { readCoco } from "../../../src/data/annotations/coco.ts";
import { drawn } from "./drawn.ts";

const square = (left: number, top: number, side: number): number[] => [
  ...[left, top, left + side, top],
  ...[left + side, top + side, left, top + side],
];

function aSet(annotations: object[]): object {
  return {
    images: [{ id: 7, file_name: "photos/a.jpg", width: 6, height: 4 }],
    categories: [
      { id: 18, name: "dog" },
      { id: 2, name: "cat" },
    ],
    annotations: annotations.map((annotation, i) => ({
      id: i + 1,
      image_id: 7,
      category_id: 18,
      ...annotation,
    })),
  };
}

it("polygons, run lengths of both kinds and crowds, later ones over those before", () => {
  const set = readCoco(
    aSet([
      { segmentation: [square(0, 0, 3), square(4, 2, 2)] },
      { segmentation: { counts: [4, 2, 18], size: [4, 6] }, category_id: 2 },
      { segmentation: { counts: [20, 4], size: [4, 6] }, iscrowd: 1 },
    ]),
    "set.json",
  );
  expect(set.labels).toEqual(["cat", "dog"]);
  expect(set.photos.map(({ photo }) => photo)).toEqual(["photos/a.jpg"]);
  expect(drawn(set.photos[0], set.labels)).toEqual(["21200x", "21200x", "22202x", "00002x"]);
});

it.each([
  [
    { image_id: 8, segmentation: [square(0, 0, 2)] },
    "annotation 1 is of image 8, which the file does not have",
  ],
  [
    { category_id: 3, segmentation: [square(0, 0, 2)] },
    "annotation 1 has category 3, which the file does not have",
  ],
  [{ segmentation: [[0, 0, 1, 1]] }, "annotation 1 has 2 points: a polygon has three or more"],
  [{ segmentation: [[0, 0, 1, 1, 2]] }, "annotation 1 has half a point"],
  [{ segmentation: [] }, "annotation 1 has a box but no segmentation"],
  [{ bbox: [0, 0, 2, 2] }, "annotation 1 has a box but no segmentation"],
  [
    { segmentation: { counts: "P", size: [4, 6] } },
    "annotation 1 has compressed run lengths that end or break off",
  ],
  [{ segmentation: [[0, 0, 1, null, 2, 2]] }, "annotation 1 has a coordinate that is no number"],
  [{ segmentation: "no" }, "set.json is not a COCO data set: annotations[0].segmentation is wrong"],
])("%j", (annotation, sentence) => {
  expect(() => readCoco(aSet([annotation]), "set.json")).toThrow(sentence);
});

it.each([
  [
    { segmentation: [square(3, 1, 9)] },
    "annotation 1 has a point at (12, 1), outside its photo of 6×4 pixels",
  ],
  [
    { segmentation: { counts: [10, 2], size: [3, 4] } },
    "annotation 1 has run lengths of 4×3 pixels, and its photo has 6×4",
  ],
  [{ segmentation: { counts: [10, 2], size: [4, 6] } }, "annotation 1 has run lengths of 12 pixels in all"],
])("%j does not fit its photo", (annotation, sentence) => {
  const { photos, labels } = readCoco(aSet([annotation]), "set.json");
  expect(() => drawn(photos[0], labels)).toThrow(sentence);
});

it("a photo of another size than the file says", () => {
  const { photos, labels } = readCoco(aSet([]), "set.json");
  expect(() => drawn(photos[0], labels, { width: 4, height: 6 })).toThrow(
    "set.json, image 7 is of a photo of 6×4 pixels, and the photo has 4×6: label the photo as it is",
  );
});
