import { describe, expect, it } from "vitest";
import { denseNet121 } from "../../../src/layers/networks/densenet.ts";
import { skipsOf } from "../../../src/layers/unet.ts";
import { featureBytes, FeatureStack, splitFeatures } from "../../../src/train/phase/features.ts";

const SIZE = { height: 64, width: 32 };
const SPEC = { imageSize: SIZE };
const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

describe("features", () => {
  it("are five skips of a photo", () => {
    expect(featureBytes({ imageSize: 64 })).toBe(720 * 2 ** 10);
    expect(featureBytes({ imageSize: 128 })).toBe(4 * featureBytes({ imageSize: 64 }));
  });

  it("become a batch again, in any order and number", () => {
    // The skip's number, the photo's, and the place within it.
    const skips = Object.fromEntries(
      skipsOf(denseNet121).map(({ name, stride, channels }, skip) => {
        const one = (SIZE.height / stride) * (SIZE.width / stride) * channels;
        const values = Float32Array.from(
          { length: 3 * one },
          (_, i) => skip + 10 * Math.floor(i / one) + (i % one) / one,
        );
        return [`skip_${name}`, values];
      }),
    );
    const [first, second, third] = splitFeatures(skips, 3, SPEC);
    expect(first.byteLength).toBe(featureBytes(SPEC));
    const stack = new FeatureStack(SPEC);
    const whole = stack.fill([first, second, third]);
    expect(Object.keys(whole)).toEqual(Object.keys(skips));
    for (const [name, values] of Object.entries(skips))
      expect(bytes(whole[name]).equals(bytes(values))).toBe(true);
    expect(splitFeatures(skips, 2, SPEC)).toHaveLength(2);

    const turned = stack.fill([third, first]);
    expect(Object.keys(turned)).toEqual(Object.keys(skips));
    for (const [name, values] of Object.entries(skips)) {
      const one = values.length / 3;
      const expected = Buffer.concat([bytes(values.subarray(2 * one)), bytes(values.subarray(0, one))]);
      expect(bytes(turned[name]).equals(expected)).toBe(true);
    }
    // Arrays of megabytes a step are not made anew.
    expect(stack.fill([second, second]).skip_relu).toBe(turned.skip_relu);
  });
});
