import { expect, it } from "vitest";
import { backgroundOf } from "../../src/masks/background.ts";

it.each(["null", "background", "_background_", "Background", "void", "unlabeled", "others", "class 0"])(
  "class 0 is left clear where it is called %s",
  (name) => expect(backgroundOf([name, "hat"])).toBe(0),
);

it("class 0 is left clear where nothing has a name", () => expect(backgroundOf([])).toBe(0));

it.each(["road", "class 1", "null hypothesis", "wall", "other vehicle"])(
  "class 0 is seen where it is called %s",
  (name) => expect(backgroundOf([name, "background"])).toBeNull(),
);
