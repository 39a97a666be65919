import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasSwiftshader, swiftshaderEnvironment } from "../../scripts/setup/swiftshader.mjs";
import { TINY, train } from "./train-process.ts";

const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));

/** SwiftShader for the only driver, and nothing chosen before. */
const swiftshader = (): NodeJS.ProcessEnv => ({
  ...swiftshaderEnvironment(CACHE, process.env),
  BESPOKE_CHOSEN_ADAPTER: "",
  BESPOKE_ADAPTER: "swiftshader",
});

describe("--precision f16 on an adapter without shader-f16", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-precision-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.for([["--out", "run"], ["--dry-run"]])(
    "is refused in a sentence and leaves nothing behind (%s)",
    async (flags, { skip }) => {
      skip(!hasSwiftshader(CACHE), "SwiftShader, which has none, is not in .cache/swiftshader.");
      const { code, errors } = await train(folder, ["--precision", "f16", ...TINY, ...flags], {
        env: swiftshader(),
      });
      expect(errors.trim()).toMatch(
        /^--precision f16: SwiftShader.* has no half-precision .*shader-f16\): choose an adapter that has, with --adapter/,
      );
      expect(errors.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    },
  );
});
