import { expect, it } from "vitest";
import { FAMILY_NAMES, familyOf } from "../../src/ui/page/op-families.ts";

it("tells by family and pass which colour a tenant has, and of an old plan's tenant nothing", () => {
  const name = (tenant: Parameters<typeof familyOf>[0]): string => FAMILY_NAMES[familyOf(tenant)];
  expect(name({ family: "convolution", backward: false })).toBe("convolutions");
  expect(name({ family: "convolution", backward: true })).toBe("gradients of convolutions");
  expect(name({ family: "normalization", backward: true })).toBe("normalization");
  expect(name({ family: "copy", backward: false })).toBe("activations, sums, copies");
  expect(name({ family: "optimizer" })).toBe("optimizer");
  expect(name({ family: "other", backward: true })).toBe("other");
  expect(name({})).toBe("other");
});
