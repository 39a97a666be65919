import { join } from "node:path";
import { expect, test } from "vitest";
import { loaderEnvironment, swiftshaderEnvironment } from "../../scripts/setup/swiftshader.mjs";

test("SwiftShader is the only driver and its loader comes first", () => {
  const folder = join("/cache", "swiftshader");
  const env = swiftshaderEnvironment("/cache", { LD_LIBRARY_PATH: "/opt/lib" });
  expect(env.LD_LIBRARY_PATH.split(":")).toEqual([folder, "/opt/lib"]);
  expect(env.VK_DRIVER_FILES).toBe(join(folder, "vk_swiftshader_icd.json"));
  expect(env.VK_ICD_FILENAMES).toBe(env.VK_DRIVER_FILES);
});

test("an empty search path stays without empty parts, which would mean the current folder", () => {
  expect(loaderEnvironment("/cache", {})).toEqual({
    LD_LIBRARY_PATH: join("/cache", "swiftshader"),
  });
  const twice = loaderEnvironment("/cache", loaderEnvironment("/cache", {}));
  expect(twice).toEqual(loaderEnvironment("/cache", {}));
});
