import { expect, it } from "vitest";
import { AUGMENTATION_NAMES } from "../../src/data/augment.ts";
import { likely } from "../../src/config/likely.ts";

it("finds the name that was meant, by its letters or a part of it", () => {
  const meant = (said: string): string[] => likely(said, AUGMENTATION_NAMES);
  expect(meant("colour_jitter")).toEqual(["color_jitter"]);
  expect(meant("ColorJitter")).toEqual(["color_jitter"]);
  expect(meant("CutMix")[0]).toBe("cutmix");
  expect(meant("flip")).toEqual(["flip_up_down", "flip_left_right"]);
  expect(meant("jpg")).toEqual(["jpeg"]);
  expect(meant("noise")).toEqual(["gaussian_noise"]);
  expect(meant("mosaic")).toEqual([]);
  expect(meant("")).toEqual([]);
});
