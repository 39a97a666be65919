import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";

describe("conv2dGeometry", () => {
  it("pads `same` with stride 2 unevenly, the extra row and column at the end", () => {
    const even = conv2dGeometry([1, 8, 6, 3], [3, 3, 3, 4], { strides: 2, padding: "same" });
    expect(even).toMatchObject({ outHeight: 4, outWidth: 3, padTop: 0, padLeft: 0 });
    const odd = conv2dGeometry([1, 7, 9, 3], [3, 3, 3, 4], { strides: 2, padding: "same" });
    expect(odd).toMatchObject({ outHeight: 4, outWidth: 5, padTop: 1, padLeft: 1 });
  });

  it("pads DenseNet's first convolution explicitly", () => {
    const padding = { top: 3, bottom: 3, left: 3, right: 3 };
    const g = conv2dGeometry([2, 128, 128, 3], [7, 7, 3, 64], { strides: 2, padding });
    expect(g).toMatchObject({ outHeight: 64, outWidth: 64, padTop: 3, padLeft: 3, outChannels: 64 });
  });

  it("covers the image with `same` and never leaves it with `valid`", () => {
    const extent = fc.integer({ min: 1, max: 40 });
    const small = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(extent, extent, small, small, small, (height, width, kernel, strideY, strideX) => {
        const make = (padding: "same" | "valid") =>
          conv2dGeometry([1, height, width, 1], [kernel, kernel, 1, 1], {
            strides: [strideY, strideX],
            padding,
          });
        const same = make("same");
        expect(same.outHeight).toBe(Math.ceil(height / strideY));
        expect(same.outWidth).toBe(Math.ceil(width / strideX));
        expect(same.padTop).toBeLessThan(kernel);
        if (kernel > height || kernel > width) {
          expect(() => make("valid")).toThrow(/does not fit/);
          return;
        }
        const valid = make("valid");
        expect(valid.padTop + valid.padLeft).toBe(0);
        expect((valid.outHeight - 1) * strideY + kernel).toBeLessThanOrEqual(height);
        expect(valid.outHeight * strideY + kernel).toBeGreaterThan(height);
      }),
    );
  });

  it.each([
    [[8, 8, 3], [3, 3, 3, 4], 1, "same", /\[8, 8, 3\]/],
    [[1, 8, 8, 4], [3, 3, 3, 4], 1, "same", /4 channels needs a kernel \[height, width, 4, out\]/],
    [[1, 8, 8, 3], [3, 3, 3, 4], 0, "same", /strides of whole numbers/],
    [[1, 8, 8, 3], [3, 3, 3, 4], 1, { top: -1, bottom: 0, left: 0, right: 0 }, /top -1/],
    [[1, 2, 8, 3], [3, 3, 3, 4], 1, "valid", /3×3 does not fit into an image of 2×8/],
  ] as const)(
    "refuses %j with the kernel %j, strides %j and padding %j",
    (x, kernel, strides, padding, message) => {
      expect(() => conv2dGeometry(x, kernel, { strides, padding })).toThrow(message);
    },
  );
});
