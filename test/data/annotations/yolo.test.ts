import { expect, it } from "vitest";
import { readYoloLabels } from "../../../src/data/annotations/yolo.ts";
import { drawn } from "./drawn.ts";

const names = ["hat", "shoe"];

function rows(text: string): string[] {
  const shapes = readYoloLabels(text, "a.txt", names);
  return drawn({ photo: "a.jpg", size: { width: 6, height: 4 }, shapes, where: "a.txt" }, names);
}

it("polygons in shares of width and height, smaller ones over larger ones, whatever their order", () => {
  const [small, large] = ["1 0 0 0.3 0 0.3 0.3 0 0.3", "0 0 0 0.8 0 0.8 0.8 0 0.8"];
  const both = ["221110", "221110", "111110", "111110"];
  expect(rows(`${small}\n${large}\n`)).toEqual(both);
  expect(rows(`${large}\r\n\r\n${small}`)).toEqual(both);
});

it("larger is what covers more pixels, its outline counted", () => {
  // A bow tie, whose two halves cancel out in the area that coordinates give.
  const [bow, small] = ["0 0 0 0.9 0.9 0.9 0 0 0.9", "1 0 0 0.2 0 0.2 0.3 0 0.3"];
  const [first, second] = [rows(`${bow}\n${small}`), rows(`${small}\n${bow}`)];
  expect(second).toEqual(first);
  expect(first[0].slice(0, 2)).toBe("22");
});

it("nothing is background", () => {
  expect(rows("")).toEqual(["000000", "000000", "000000", "000000"]);
});

it("points a little outside, as tools round them", () => {
  expect(rows("0 -0.001 -0.001 0.8 -0.001 0.8 0.8 -0.001 0.8")).toEqual([
    "111110",
    "111110",
    "111110",
    "111110",
  ]);
});

it.each([
  ["0 0.5 0.5 0.2 0.2", "a.txt, line 1, is a box, not an outline: export the labels as segments"],
  ["\n0 0 0 0.5 0.5 1", "a.txt, line 2, has half a point"],
  ["0 0 0", "a.txt, line 1, has 1 point: a polygon has three or more"],
  ["0 0 0 0.5 0 0.5 1.2", "a.txt, line 1, has the coordinate 1.2: coordinates are shares"],
  ["0 0 0 0.5 0 -0.02 1", "a.txt, line 1, has the coordinate -0.02: coordinates are shares"],
  ["2 0 0 0.5 0 0.5 1", "a.txt, line 1, has class 2, and data.yaml names 2 classes: use 0 to 1"],
  ["0.5 0 0 0.5 0 0.5 1", "has class 0.5"],
  ["hat 0 0 0.5 0 0.5 1", 'a.txt, line 1, is "hat 0 0 0.5 0 0.5 1": write a class number'],
  ["0 0 0 0.5 x 0.5 1", "write a class number and the points"],
])("%j", (text, sentence) => {
  expect(() => rows(text)).toThrow(sentence);
});
