import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { userCache } from "../../scripts/setup/user-cache.mjs";

test("what is downloaded lies where the system has such things", () => {
  expect(userCache({ XDG_CACHE_HOME: "/caches" }, "linux")).toBe("/caches/bespoke");
  expect(userCache({}, "linux")).toBe(join(homedir(), ".cache", "bespoke"));
  expect(userCache({ XDG_CACHE_HOME: "relative" }, "linux")).toBe(join(homedir(), ".cache", "bespoke"));
  expect(userCache({}, "darwin")).toBe(join(homedir(), "Library", "Caches", "bespoke"));
  expect(userCache({ LOCALAPPDATA: "/local" }, "win32")).toBe(join("/local", "bespoke", "Cache"));
});
