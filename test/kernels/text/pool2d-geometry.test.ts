import { describe, expect, it } from "vitest";
import { pool2dGeometry } from "../../../src/kernels/text/pool2d-geometry.ts";

describe("the geometry of pooling", () => {
  it("pads `same` as TensorFlow, the odd row and column at the end", () => {
    const same = { poolSize: 3, strides: 2, padding: "same" } as const;
    expect(pool2dGeometry([2, 8, 7, 5], same)).toMatchObject({
      outputHeight: 4,
      outputWidth: 4,
      padTop: 0,
      padLeft: 1,
      zeros: false,
    });
  });

  it("halves DenseNet121's stem with explicit zeros", () => {
    const padding = { top: 1, bottom: 1, left: 1, right: 1 };
    expect(pool2dGeometry([1, 64, 64, 64], { poolSize: 3, strides: 2, padding })).toMatchObject({
      outputHeight: 32,
      outputWidth: 32,
      padTop: 1,
      padLeft: 1,
      zeros: true,
    });
  });

  it("says what does not fit", () => {
    const valid = { poolSize: 3, strides: 2, padding: "valid" } as const;
    expect(() => pool2dGeometry([8, 8, 3], valid)).toThrow("takes images [N, H, W, C]");
    expect(() => pool2dGeometry([1, 2, 8, 3], valid)).toThrow(
      "A pooling window of 3×3 does not fit into an image of 2×8",
    );
    expect(() => pool2dGeometry([1, 8, 8, 3], { ...valid, strides: 0 })).toThrow(
      "strides of whole numbers from 1",
    );
    expect(() => pool2dGeometry([1, 8, 8, 3], { ...valid, poolSize: [2, 1.5] })).toThrow("not 2×1.5");
    const padding = { top: -1, bottom: 0, left: 0, right: 0 };
    expect(() => pool2dGeometry([1, 8, 8, 3], { ...valid, padding })).toThrow(
      "padding of whole numbers from 0, not top -1, bottom 0",
    );
  });
});
