import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { decodeMask } from "../../../src/data/mask.ts";
import { normalize } from "../../../src/data/normalize.ts";
import { resizeBilinear } from "../../../src/data/resize.ts";
import { paintMask } from "../../../src/masks/palette.ts";
import { greyPng } from "../../../src/ui/demo/grey-png.ts";
import { prepareImage } from "../../../src/ui/demo/prepare-image.ts";
import { tint } from "../../../src/ui/demo/tint.ts";
import { viewSize } from "../../../src/ui/demo/view-size.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";

describe("greyPng", () => {
  const temporary = temporaryFolder();

  it("is read back as the same numbers", async () => {
    const values = Uint8Array.from({ length: 37 * 21 }, (_, i) => (i * 7) % 59);
    const file = temporary("mask.png");
    const png = await greyPng(values, 37, 21);
    expect(png.type).toBe("image/png");
    await writeFile(file, new Uint8Array(await png.arrayBuffer()));
    expect(await decodeMask(file)).toEqual({ width: 37, height: 21, labels: values });
  });
});

describe("prepareImage", () => {
  it.each(["unit", "imagenet"] as const)(
    "gives the bits that npm run predict feeds (%s)",
    (normalization) => {
      const [width, height] = [50, 33];
      const pixels = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i * 2654435761) >>> 24);
      const rgb = pixels.filter((_, i) => i % 4 < 3);
      const size = { width: 64, height: 32 };
      const wanted = normalize(resizeBilinear(rgb, { width, height }, 3, size, 1 / 255), normalization);
      expect(
        prepareImage({ width, height, pixels }, { imageSize: size, resize: "stretch", normalization }),
      ).toEqual(wanted);
    },
  );
});

describe("tint", () => {
  it("has the palette's colours, background clear, and one class standing out", () => {
    const labels = Uint8Array.from([0, 1, 1, 2]);
    const size = { width: 4, height: 1 };
    const rgba = tint({ labels, ...size, highlight: null, background: 0 });
    const colours = paintMask(labels);
    for (const pixel of [1, 2, 3]) {
      expect([...rgba.subarray(4 * pixel, 4 * pixel + 3)]).toEqual([
        ...colours.subarray(3 * pixel, 3 * pixel + 3),
      ]);
    }
    expect(rgba[3]).toBe(0);
    const alpha = (highlight: number): number[] =>
      [...tint({ labels, ...size, highlight, background: 0 })].filter((_, i) => i % 4 === 3);
    expect(alpha(1)[1]).toBeGreaterThan(3 * alpha(1)[3]);
    expect(alpha(0)[0]).toBeGreaterThan(0);
    // A road is no background.
    expect(tint({ labels, ...size, highlight: null, background: null })[3]).toBeGreaterThan(100);
  });
});

describe("viewSize", () => {
  it.each([
    [550, 840, 550, 840],
    [4000, 3000, 1600, 1200],
    [32, 16, 640, 320],
    [700, 3, 700, 3],
  ])("shows %i × %i at %i × %i", (width, height, wide, high) => {
    expect(viewSize({ width, height })).toEqual({ width: wide, height: high });
  });
});
