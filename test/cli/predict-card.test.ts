import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TINY, train } from "./train-process.ts";

describe("train --predict", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-predict-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    [["--predict", "navi31"], /^--predict says what a run would take and makes none: add --dry-run\.$/],
    [["--dry-run", "--predict", "navi99"], /Allowed choices are navi31, navi21, h100/],
  ])("refuses %j in a sentence, and trains nothing", async (flags, sentence) => {
    const { code, errors } = await train(folder, [...TINY, ...flags]);
    expect(errors.trim()).toMatch(sentence);
    expect(code).not.toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });
});
