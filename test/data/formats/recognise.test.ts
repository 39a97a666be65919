import { expect, test } from "vitest";
import { FORMAT_NAMES } from "../../../src/data/formats/names.ts";
import { FORMATS } from "../../../src/data/formats/recognise.ts";

test("--format knows every format, in the order in which they are tried", () => {
  expect(FORMATS.map(({ name }) => name)).toEqual([...FORMAT_NAMES]);
});
