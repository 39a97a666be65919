import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Canvas, Outline } from "../../../src/data/shapes/canvas.ts";
import { paintCocoPolygon } from "../../../src/data/shapes/coco-polygon.ts";
import { paintOpenCvPolygon } from "../../../src/data/shapes/opencv-polygon.ts";
import { paintPillowPolygon } from "../../../src/data/shapes/pillow-polygon.ts";
import { paintRunLengths, parseRunLengths } from "../../../src/data/shapes/run-lengths.ts";

interface GoldenCase {
  readonly width: number;
  readonly height: number;
  readonly outline: number[];
  readonly counts: string;
  readonly coco: string;
  readonly pillow: string;
  readonly opencv: string | null;
}

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")) as GoldenCase[];

function painted({ width, height }: GoldenCase, paint: (canvas: Canvas) => void): string {
  const canvas = { width, height, pixels: new Uint8Array(width * height) };
  paint(canvas);
  return canvas.pixels.join("");
}

const polygon = (paint: (canvas: Canvas, outline: Outline, value: number) => void) => (one: GoldenCase) =>
  painted(one, (canvas) => paint(canvas, one.outline, 1));

describe("polygons are filled pixel for pixel as by", () => {
  it("pycocotools", () => {
    expect(golden.map(polygon(paintCocoPolygon))).toEqual(golden.map(({ coco }) => coco));
  });

  it("Pillow, which LabelMe uses", () => {
    expect(golden.map(polygon(paintPillowPolygon))).toEqual(golden.map(({ pillow }) => pillow));
  });

  it("OpenCV, which Ultralytics uses", () => {
    const known = golden.filter(({ opencv }) => opencv !== null);
    expect(known.length).toBeGreaterThan(20);
    expect(known.map(polygon(paintOpenCvPolygon))).toEqual(known.map(({ opencv }) => opencv));
  });
});

describe("run lengths", () => {
  it("compressed ones of pycocotools", () => {
    const masks = golden.map((one) =>
      painted(one, (canvas) => paintRunLengths(canvas, parseRunLengths(one.counts, "it"), 1, "it")),
    );
    expect(masks).toEqual(golden.map(({ coco }) => coco));
  });

  it("that do not add up, are no counts, or break off", () => {
    const canvas = { width: 3, height: 2, pixels: new Uint8Array(6) };
    expect(() => paintRunLengths(canvas, [2, 2, 1], 1, "Annotation 7")).toThrow(
      "Annotation 7 has run lengths of 5 pixels in all, and its photo has 3×2 = 6: export it anew",
    );
    expect(() => paintRunLengths(canvas, [2, -2, 6], 1, "Annotation 7")).toThrow("run length -2");
    expect(() => paintRunLengths(canvas, [1.5, 4.5], 1, "Annotation 7")).toThrow("run length 1.5");
    for (const text of ["P", "hello", "04 2", "\u00ff"]) {
      expect(
        () => paintRunLengths(canvas, parseRunLengths(text, "Annotation 7"), 1, "Annotation 7"),
        text,
      ).toThrow("Annotation 7 has");
    }
    expect([...canvas.pixels]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
