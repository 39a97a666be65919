import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { classColour } from "../../../src/masks/palette.ts";
import { overlayFigure, tint } from "../../../src/runs/figures/overlay.ts";

/** The tint as its docstring has it, one pixel at a time. */
function tinted(
  { width, height, rgb }: { width: number; height: number; rgb: Uint8Array },
  mask: Uint8Array,
  edge: number,
  background: number | null,
): Uint8Array {
  return rgb.map((value, i) => {
    const pixel = Math.floor(i / 3);
    const [x, y, label] = [pixel % width, Math.floor(pixel / width), mask[pixel]];
    if (label === background) return value;
    const neighbours = [
      [x - edge, y],
      [x + edge, y],
      [x, y - edge],
      [x, y + edge],
    ];
    const isInner = neighbours.every(
      ([nx, ny]) => nx < 0 || ny < 0 || nx >= width || ny >= height || mask[ny * width + nx] === label,
    );
    const colour = Number.parseInt(classColour(label).slice(1 + 2 * (i % 3), 3 + 2 * (i % 3)), 16);
    return Math.round(value + (colour - value) * (isInner ? 0.55 : 1));
  });
}

test("areas are blended with their colours and their edges have them, to the pixel", () => {
  const side = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(
      ...([side, side, fc.integer({ min: 1, max: 14 }), fc.constantFrom(null, 0, 2)] as const),
      fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      (width, height, edge, background, labels, values) => {
        const mask = Uint8Array.from(labels.take(width * height));
        const photo = { width, height, rgb: Uint8Array.from(values.take(3 * width * height)) };
        const before = photo.rgb.slice();
        expect(tint(photo, mask, edge, background)).toEqual(tinted(photo, mask, edge, background));
        expect(photo.rgb).toEqual(before);
      },
    ),
  );
});

test("an overlay is the tinted photo on white, with the legend in the same place whether there is a title or not", async () => {
  const size = { width: 300, height: 820 };
  const mask = Uint8Array.from({ length: size.width * size.height }, (_, i) => Math.floor(i / 24_700) % 3);
  const rgb = Uint8Array.from({ length: 3 * mask.length }, (_, i) => (i * 31) & 255);
  const classNames = ["null", "coat", "skin"];
  const picture = async (title?: string): Promise<{ data: Buffer; width: number; height: number }> => {
    const png = await overlayFigure({ photo: { ...size, rgb }, mask, classNames, title });
    expect((await sharp(png).metadata()).density).toBe(72);
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    return { data, ...info };
  };
  // The first draws what it needs of the figure, the second, because of its title, all.
  const [part, whole] = [await picture(), await picture("t")];
  expect(part.width).toBe(whole.width);
  const scale = 820 / 800;
  const [left, top] = [Math.round(20 * scale), Math.round(20 * scale)];
  const line = (from: typeof part, y: number, begin: number, end: number): Buffer =>
    from.data.subarray(3 * (y * from.width + begin), 3 * (y * from.width + end));
  const expected = tinted({ ...size, rgb }, mask, 1, 0);
  for (let y = 0; y < size.height; y++) {
    const own = Buffer.from(expected.subarray(3 * y * size.width, 3 * (y + 1) * size.width));
    expect(line(part, top + y, left, left + size.width).equals(own)).toBe(true);
    expect(line(part, top + y, 0, left).every((value) => value === 255)).toBe(true);
  }
  // Not white alone: names, shares and colours.
  const legend = Array.from({ length: 60 }, (_, y) =>
    line(part, top + y, left + size.width + 10, part.width),
  );
  expect(new Set(Buffer.concat(legend)).size).toBeGreaterThan(20);
});
