import fc from "fast-check";
import { expect, it } from "vitest";
import { IGNORE } from "../../src/data/dataset.ts";
import { cutOut, fitMask, fitPhoto, placementOf } from "../../src/data/fit.ts";
import { resizeBilinear, resizeNearest } from "../../src/data/resize.ts";
import type { Size } from "../../src/data/resize.ts";

const side = fc.integer({ min: 1, max: 60 });
const size = fc.record({ height: side, width: side });

/** A photo whose red is its column and whose green is its row. */
const ramp = ({ height, width }: Size) => ({
  ...{ height, width },
  pixels: Uint8Array.from({ length: 3 * height * width }, (_, i) =>
    i % 3 === 0 ? Math.floor(i / 3) % width : i % 3 === 1 ? Math.floor(i / 3 / width) : 0,
  ),
});
const maskOf = ({ height, width }: Size) => ({
  ...{ height, width },
  labels: Uint8Array.from({ length: height * width }, (_, i) => (i % width) % 7),
});

it("stretches as before, whatever the proportions", () => {
  const [photo, mask] = [ramp({ height: 9, width: 5 }), maskOf({ height: 9, width: 5 })];
  const to = { height: 4, width: 6 };
  expect(fitPhoto(photo, 3, to, "stretch")).toEqual(resizeBilinear(photo.pixels, photo, 3, to, 1 / 255));
  expect(fitMask(mask, to, "stretch")).toEqual(resizeNearest(mask.labels, mask, to));
});

it("letterboxes into the middle of grey that does not count", () => {
  const photo = ramp({ height: 4, width: 8 });
  const to = { height: 6, width: 4 };
  expect(placementOf(photo, to, "letterbox")).toEqual({ scaled: { height: 2, width: 4 }, left: 0, top: 2 });
  const image = fitPhoto(photo, 3, to, "letterbox");
  const inside = resizeBilinear(photo.pixels, photo, 3, { height: 2, width: 4 }, 1 / 255);
  const grey = new Float32Array(2 * 4 * 3).fill(114 / 255);
  expect([...image]).toEqual([...grey, ...inside, ...grey]);
  const labels = [...fitMask(maskOf(photo), to, "letterbox")];
  const none = Array<number>(8).fill(IGNORE);
  expect(labels).toEqual([...none, ...[1, 3, 5, 0], ...[1, 3, 5, 0], ...none]);
});

it("covers, and cuts off alike on both sides", () => {
  const photo = ramp({ height: 4, width: 10 });
  const to = { height: 4, width: 4 };
  expect(placementOf(photo, to, "short-side")).toEqual({
    scaled: { height: 4, width: 10 },
    left: -3,
    top: 0,
  });
  const red = fitPhoto(photo, 3, to, "short-side").filter((_, i) => i % 3 === 0);
  expect([...red].map((value) => Math.round(255 * value))).toEqual(Array(4).fill([3, 4, 5, 6]).flat());
  expect([...fitMask(maskOf(photo), to, "short-side")]).toEqual(Array(4).fill([3, 4, 5, 6]).flat());
});

it("keeps the proportions, and what is cut out of a letterbox is all of the photo", () => {
  fc.assert(
    fc.property(size, size, (from, to) => {
      const photo = ramp(from);
      for (const resize of ["letterbox", "short-side"] as const) {
        const { scaled, left, top } = placementOf(from, to, resize);
        // Rounding aside.
        const ratio = (resize === "letterbox" ? Math.min : Math.max)(
          to.width / from.width,
          to.height / from.height,
        );
        expect(Math.abs(scaled.width - from.width * ratio)).toBeLessThan(1);
        expect(Math.abs(scaled.height - from.height * ratio)).toBeLessThan(1);
        const inside = (extent: number, whole: number): boolean =>
          resize === "letterbox" ? extent <= whole : extent >= whole;
        expect(inside(scaled.width, to.width) && inside(scaled.height, to.height)).toBe(true);
        expect(Math.abs(2 * left + scaled.width - to.width)).toBeLessThanOrEqual(1);
        expect(Math.abs(2 * top + scaled.height - to.height)).toBeLessThanOrEqual(1);
        const image = fitPhoto(photo, 3, to, resize);
        expect(image.length).toBe(3 * to.height * to.width);
        if (resize === "short-side") {
          expect(fitMask(maskOf(from), to, resize)).not.toContain(IGNORE);
          continue;
        }
        const placement = { scaled, left, top };
        expect(cutOut(image, 3, placement, to)).toEqual(
          resizeBilinear(photo.pixels, photo, 3, scaled, 1 / 255),
        );
        const counted = fitMask(maskOf(from), to, resize).filter((label) => label !== IGNORE);
        expect(counted.length).toBe(scaled.height * scaled.width);
      }
    }),
  );
});
