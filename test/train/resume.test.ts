import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";
import { keepDataFolder, resumedConfig } from "../../src/train/resume.ts";
import type { RunFolder } from "../../src/runs/run-folder.ts";

describe("resumedConfig", () => {
  let folder: string;
  let run: RunFolder;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-resumed-"));
    run = { config: join(folder, "config.json") } as RunFolder;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = (said: Said, without: readonly string[] = []): Promise<void> => {
    const config = Object.entries(resolveConfig([{ file: null, said }], "lavapipe"));
    const kept = config.filter(([name]) => !without.includes(name));
    return writeFile(run.config, JSON.stringify(Object.fromEntries(kept)));
  };

  it("is the run's own, its limits lifted", async () => {
    await write({ precision: "f16", accumulate: 2, maxSteps: 5 });
    const own = JSON.parse(await readFile(run.config, "utf8")) as object;
    expect(await resumedConfig(run, {})).toEqual({ ...own, maxSteps: null });
    expect(await resumedConfig(run, { maxSteps: 9 })).toEqual({ ...own, maxSteps: 9 });
  });

  it("takes a run of an earlier version as it went", async () => {
    await write({}, [
      "precision",
      "accumulate",
      "cacheFeatures",
      "tune",
      "freeze",
      "monitor",
      "encoder",
      "budget",
      "bnReestimate",
    ]);
    expect(await resumedConfig(run, {})).toMatchObject({
      ...{ precision: "f32", accumulate: 1, cacheFeatures: false, tune: "off", freeze: "encoder" },
      ...{ monitor: "val_accuracy", encoder: "densenet121", budget: null, bnReestimate: 0 },
    });
  });

  it("takes the settings of a run of 2026-11-23, whatever has been added since", async () => {
    const recorded = new URL("./config-of-2026-11-23.json", import.meta.url);
    const config = JSON.parse(await readFile(recorded, "utf8")) as Said;
    await writeFile(run.config, JSON.stringify(config));
    expect(await resumedConfig(run, {})).toMatchObject({
      ...config,
      ...{ precision: "f32", monitor: "val_accuracy", ignoreLabel: null, classes: 59, loss: "cross-entropy" },
    });
  });

  it("may find its data in another folder, and knows it from then on", async () => {
    await write({ data: "here", maxSteps: 5 });
    const config = await resumedConfig(run, { data: "there" });
    expect(config.data).toBe("there");
    await keepDataFolder(run, config);
    expect(await resumedConfig(run, {})).toEqual(config);
    expect(JSON.parse(await readFile(run.config, "utf8"))).toMatchObject({ maxSteps: 5 });
  });

  it.each(["f32", "f16"])("does not change the precision on the way (--precision %s)", async (precision) => {
    await write({ precision: "f16" });
    await expect(resumedConfig(run, { precision })).rejects.toThrow(
      "--resume goes on with the run's own settings: leave out --precision",
    );
  });
});
