import { expect, it } from "vitest";
import { readLabelStudio } from "../../../src/data/annotations/label-studio.ts";
import { drawn } from "./drawn.ts";

const region = (type: string, value: object, more: object = {}): object => ({
  id: "r1",
  type,
  original_width: 6,
  original_height: 4,
  image_rotation: 0,
  value,
  ...more,
});
const aTask = (result: object[], more: object = {}): object => ({
  id: 5,
  data: { note: "none", image: "/data/upload/1/0a1b2c3d-a.jpg" },
  annotations: [{ was_cancelled: true, result: [] }, { result }],
  ...more,
});

// `label_studio_converter.brush.mask2rle` of a mask of 6×4 pixels whose last row is covered.
const LAST_ROW = [0, 0, 0, 96, 57, 27, 254, 71, 0, 194, 255, 224];

it("polygons, rectangles and brushes of the first annotation that counts", () => {
  const set = readLabelStudio(
    [
      aTask([
        region("polygonlabels", {
          points: [
            [0, 0],
            [50, 0],
            [50, 75],
            [0, 75],
          ],
          polygonlabels: ["hat"],
        }),
        region("rectanglelabels", {
          x: 50,
          y: 0,
          width: 50,
          height: 50,
          rotation: 0,
          rectanglelabels: ["shoe"],
        }),
        region("choices", { choices: ["indoor"] }),
      ]),
    ],
    "export.json",
  );
  expect(set.photos.map(({ photo }) => photo)).toEqual(["/data/upload/1/0a1b2c3d-a.jpg"]);
  expect(drawn(set.photos[0], ["hat", "shoe"])).toEqual(["111222", "111222", "111000", "000000"]);
});

it("photos by the path of local files, and tasks that nobody labelled", () => {
  const local = { data: { image: "/data/local-files/?d=set/photos/b%20c.png" } };
  const set = readLabelStudio([aTask([], local), aTask([], { annotations: [] })], "export.json");
  expect(set.photos.map(({ photo }) => photo)).toEqual(["set/photos/b c.png"]);
});

it.each([
  [
    region("polygonlabels", {
      points: [
        [0, 0],
        [50, 0],
      ],
      polygonlabels: ["hat"],
    }),
    "export.json, task 5, region r1, has 2 points",
  ],
  [
    region("polygonlabels", {
      points: [
        [0, 0],
        [50, 0],
        [130, 9],
      ],
      polygonlabels: ["hat"],
    }),
    "has a point at 130 %, outside its photo",
  ],
  [
    region("polygonlabels", {
      points: [
        [0, 0],
        [50, 0],
        [50, 50],
      ],
    }),
    "has no label: label it or remove it",
  ],
  [region("brushlabels", { brushlabels: ["hat"] }), "is a brush without its strokes"],
  [
    region("rectanglelabels", { x: 0, y: 0, width: 9, height: 9, rotation: 12, rectanglelabels: ["hat"] }),
    "a rectangle turned by 12°",
  ],
  [
    region(
      "polygonlabels",
      {
        points: [
          [0, 0],
          [50, 0],
          [50, 50],
        ],
        polygonlabels: ["hat"],
      },
      { image_rotation: 90 },
    ),
    "was drawn on a photo turned by 90°",
  ],
])("%j", (one, sentence) => {
  expect(() => readLabelStudio([aTask([one])], "export.json")).toThrow(sentence);
});

it("a brush, and ones that do not fit or break off", () => {
  const brush = (rle: number[]): string[] => {
    const set = readLabelStudio(
      [aTask([region("brushlabels", { format: "rle", rle, brushlabels: ["hat"] })])],
      "e.json",
    );
    return drawn(set.photos[0], ["hat"]);
  };
  expect(brush(LAST_ROW)).toEqual(["000000", "000000", "000000", "111111"]);
  expect(() => brush(LAST_ROW.slice(0, -2))).toThrow(
    "e.json, task 5, region r1, has a brush that ends before its picture does",
  );
  expect(() => brush([0, 0, 0, 92, ...LAST_ROW.slice(4)])).toThrow(
    "has a brush of 92 values, and its photo of 6×4 pixels needs 96",
  );
});
