import { expect, it } from "vitest";
import { readLabelMe } from "../../../src/data/annotations/labelme.ts";
import { drawn } from "./drawn.ts";

const aFile = (shapes: object[]): object => ({
  version: "5.5.0",
  imagePath: "..\\photos\\a.jpg",
  imageWidth: 6,
  imageHeight: 4,
  imageData: null,
  shapes,
});

it("polygons, rectangles and ignored pixels, each over those before", () => {
  const annotation = readLabelMe(
    aFile([
      {
        label: "hat",
        points: [
          [0, 0],
          [3, 0],
          [3, 3],
          [0, 3],
        ],
        shape_type: "polygon",
      },
      {
        label: "shoe",
        points: [
          [4.6, 3.2],
          [2, 2],
        ],
        shape_type: "rectangle",
      },
      {
        label: "__ignore__",
        points: [
          [5, 0],
          [5, 3],
          [5, 1],
        ],
      },
    ]),
    "a.json",
  );
  expect(annotation.photo).toBe("../photos/a.jpg");
  expect(drawn(annotation, ["hat", "shoe"])).toEqual(["11110x", "11110x", "11222x", "11222x"]);
});

it.each([
  [
    {
      label: "hat",
      points: [
        [0, 0],
        [1, 1],
      ],
    },
    'a.json, shape 1 ("hat"), has 2 points: a polygon has three or more',
  ],
  [{ label: "hat", points: [[0, 0]], shape_type: "point" }, "is a point: only polygons and rectangles"],
  [{ label: "hat", points: [[0, 0]], shape_type: "rectangle" }, "has 1 points: a rectangle has two"],
  [{ label: 3, points: [] }, "a.json is not a file of LabelMe: shapes[0].label is wrong"],
])("%j", (shape, sentence) => {
  expect(() => readLabelMe(aFile([shape]), "a.json")).toThrow(sentence);
});

it("a polygon outside its photo", () => {
  const annotation = readLabelMe(
    aFile([
      {
        label: "hat",
        points: [
          [0, 0],
          [9, 0],
          [3, 3],
        ],
      },
    ]),
    "a.json",
  );
  expect(() => drawn(annotation, ["hat"])).toThrow(
    'a.json, shape 1 ("hat"), has a point at (9, 0), outside its photo of 6×4',
  );
});
