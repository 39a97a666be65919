import { expect, it } from "vitest";
import { vendorFamily } from "../../src/graph/vendor-family.ts";

it.each([
  ["apple", "metal-3", "apple"],
  ["intel", "xe-2hpg", "intel"],
  ["amd", "rdna-3", "amd-rdna"],
  ["amd", "gcn-5", "amd-gcn"],
  ["amd", "cdna-2", "unknown"],
  ["nvidia", "lovelace", "nvidia"],
  ["qualcomm", "adreno-7xx", "unknown"],
  ["", "", "unknown"],
])("an adapter of %s, %s, is of the family %s", (vendor, architecture, family) => {
  const info = { vendor, architecture } as GPUAdapterInfo;
  expect(vendorFamily({ info, isSoftware: false })).toBe(family);
  expect(vendorFamily({ info, isSoftware: true })).toBe("software");
});
