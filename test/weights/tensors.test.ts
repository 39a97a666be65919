import { describe, expect, test } from "vitest";
import { elementCount, kerasWeightName } from "../../src/weights/tensors.ts";

describe("kerasWeightName", () => {
  test.each([
    ["conv1/conv/kernel", "conv1/conv/kernel"],
    ["conv1/bn/conv1/bn/gamma:0", "conv1/bn/gamma"],
    ["/bn/bn/moving_mean:0", "bn/moving_mean"],
    ["sequential_1/sequential_1/conv2d_transpose_2/kernel:0", "sequential_1/conv2d_transpose_2/kernel"],
    ["bn/bn", "bn/bn"],
    ["kernel:0", "kernel"],
  ])("%s is %s", (raw, name) => {
    expect(kerasWeightName(raw)).toBe(name);
  });
});

describe("elementCount", () => {
  test.each([
    [[], 1],
    [[2, 3], 6],
    [[5, 0], 0],
    [[-1, 3], undefined],
    [[1.5], undefined],
    [[2 ** 40, 2 ** 40], undefined],
    [[2 ** 40, 2 ** 40, 0], undefined],
  ])("%j", (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });
});
