import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { augmentationsFigure } from "../../../src/runs/figures/augmentations.ts";
import { jetHex } from "../../../src/runs/figures/jet.ts";
import { fitInside, pictureOf } from "../../../src/runs/figures/mosaic.ts";
import type { Picture } from "../../../src/runs/figures/mosaic.ts";
import { overlayFigure, percent, pictureSize } from "../../../src/runs/figures/overlay.ts";
import { PALETTE } from "../../../src/masks/palette.ts";
import { resizedFigure } from "../../../src/runs/figures/resized.ts";
import { samplesFigure } from "../../../src/runs/figures/samples.ts";
import { colours, rawPixels } from "./raw-pixels.ts";

const classNames = Array.from({ length: 59 }, (_, label) => `class ${label}`);
/** A grey photo whose mask is one class. */
const picture = (name: string, width: number, height: number, label: number): Picture => ({
  name,
  width,
  height,
  rgb: new Uint8Array(width * height * 3).fill(128),
  mask: new Uint8Array(width * height).fill(label),
});

describe("pictureOf", () => {
  it("clips what display cannot show", () => {
    const image = Float32Array.of(-1, 0.5, 2);
    expect([...pictureOf({ name: "a", width: 1, height: 1, image, mask: Uint8Array.of(3) }).rgb]).toEqual([
      0, 128, 255,
    ]);
  });
});

describe("fitInside", () => {
  it("keeps the ratio, in the middle, on whole pixels", () => {
    const box = { x: 10, y: 20, width: 100, height: 50 };
    expect(fitInside({ width: 50, height: 50 }, box)).toEqual({ x: 35, y: 20, width: 50, height: 50 });
    expect(fitInside({ width: 400, height: 100 }, box)).toEqual({ x: 10, y: 32.5, width: 100, height: 25 });
  });
});

describe("the data's figures", () => {
  it("show photos and their masks in jet, whatever their shape and name", async () => {
    const samples = [
      picture("a", 55, 83, 41),
      picture(`<b> & "c"`, 83, 55, 7),
      picture("d".repeat(99), 64, 64, 58),
    ];
    const seen = await colours(await samplesFigure({ samples, classNames }));
    for (const label of [41, 7, 58]) expect(seen).toContain(jetHex(label, 59));
    expect(seen).toContain("#808080");
  });

  it.each([0.37, 1, 2.6])(
    "give masks %f times as large as their cells no colours but their classes'",
    async (factor) => {
      const side = Math.round(480 * factor);
      const one = picture("a", side, side, 0);
      const mask = new Uint8Array(side * side).map((_, i) => ((i % side) + Math.floor(i / side)) % 59);
      const pixel = await rawPixels(await samplesFigure({ samples: [{ ...one, mask }], classNames }));
      // The mask's cell, 480 pixels wide: see mosaic.ts.
      const [left, top] = [2 * 46, 2 * (52 + 24 + 240 + 10)];
      const at = (place: number): number => Math.floor(((place + 0.5) * side) / 480);
      const wrong = [];
      for (let y = 0; y < 480; y += 7)
        for (let x = 0; x < 480; x += 5)
          if (pixel(left + x, top + y) !== jetHex((at(x) + at(y)) % 59, 59)) wrong.push([x, y]);
      expect(wrong).toEqual([]);
    },
  );

  it("show one sample, and data of one class", async () => {
    const png = await samplesFigure({ samples: [picture("a", 32, 32, 0)], classNames: ["null"] });
    expect(await colours(png)).toContain(jetHex(0, 1));
  });

  it("show what resizing does", async () => {
    const before = [picture("a", 550, 830, 41), picture("b", 830, 550, 7)];
    const after = [picture("a", 64, 64, 30), picture("b", 64, 64, 20)];
    const seen = await colours(await resizedFigure({ before, after, classNames }));
    for (const label of [41, 7, 30, 20]) expect(seen).toContain(jetHex(label, 59));
  });

  it("show a column for each augmentation, four beside each other", async () => {
    const columns = Array.from({ length: 8 }, (_, i) => ({
      name: `n${i}`,
      picture: picture("", 32, 32, 5 + i),
    }));
    const four = await sharp(
      await augmentationsFigure({ columns: columns.slice(0, 4), classNames }),
    ).metadata();
    const png = await augmentationsFigure({ columns, classNames });
    const eight = await sharp(png).metadata();
    expect(eight.width).toBe(four.width);
    expect(eight.height).toBeGreaterThan(four.height * 1.5);
    const seen = await colours(png);
    for (let label = 5; label < 13; label++) expect(seen).toContain(jetHex(label, 59));
  });
});

describe("overlayFigure", () => {
  it("tints all but the background and marks the edges", async () => {
    const photo = { width: 100, height: 60, rgb: new Uint8Array(100 * 60 * 3).fill(100) };
    const mask = new Uint8Array(100 * 60).map((_, i) => (i % 100 < 50 ? 0 : 41));
    const seen = await colours(await overlayFigure({ photo, mask, classNames }));
    const skin = Number.parseInt(PALETTE[41].slice(1), 16);
    const blended = [skin >> 16, (skin >> 8) & 255, skin & 255]
      .map((channel) => Math.round(100 + 0.55 * (channel - 100)))
      .map((channel) => channel.toString(16).padStart(2, "0"));
    expect(seen).toContain("#646464");
    expect(seen).toContain(`#${blended.join("")}`);
    // A road is no background.
    const street = ["road", ...classNames.slice(1)];
    expect(await colours(await overlayFigure({ photo, mask, classNames: street }))).not.toContain("#646464");
  });

  it("leaves a photo of class 0 alone", async () => {
    const photo = {
      width: 800,
      height: 600,
      rgb: new Uint8Array(800 * 600 * 3).map((_, i) => (i * 31) & 255),
    };
    const pixel = await rawPixels(
      await overlayFigure({ photo, mask: new Uint8Array(800 * 600), classNames }),
    );
    for (const [x, y] of [
      [0, 0],
      [799, 0],
      [400, 300],
      [799, 599],
    ]) {
      const at = 3 * (y * 800 + x);
      expect(pixel(20 + x, 20 + y)).toBe(`#${Buffer.from(photo.rgb.subarray(at, at + 3)).toString("hex")}`);
    }
  });

  it("takes photos of any size", async () => {
    expect(pictureSize({ width: 6000, height: 4000 })).toEqual({ width: 1600, height: 1067 });
    expect(pictureSize({ width: 64, height: 64 })).toEqual({ width: 832, height: 832 });
    expect(pictureSize({ width: 900, height: 1200 })).toEqual({ width: 900, height: 1200 });
    const photo = { width: 3, height: 900, rgb: new Uint8Array(3 * 900 * 3) };
    const png = await overlayFigure({ photo, mask: new Uint8Array(3 * 900), classNames: [], title: "<t>" });
    expect((await sharp(png).metadata()).height).toBeGreaterThan(900);
  });

  it("writes shares", () => {
    expect([0, 0.0001, 0.25, 0.9999, 1].map(percent)).toEqual([
      "0.0 %",
      "< 0.1 %",
      "25.0 %",
      "> 99.9 %",
      "100.0 %",
    ]);
  });
});
