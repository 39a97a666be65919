import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RunFiles } from "../../src/ui/run-files.ts";
import { folderOf } from "../data/folder.ts";

it.each([
  [{}, "Encoder frozen"],
  [{ freeze: "encoder" }, "Encoder frozen"],
  [{ freeze: "decoder" }, "Encoder and decoder frozen"],
  [{ freeze: "none" }, "Nothing frozen"],
  [{ freeze: "everything" }, "Encoder frozen"],
])("a run says what its first phase has frozen: %j", async (config, label) => {
  const folder = await folderOf({ "config.json": JSON.stringify({ epochsFrozen: 1, ...config }) });
  await mkdir(join(folder, "figures"));
  for (const name of ["predictions", "predictions_frozen"])
    await writeFile(join(folder, "figures", `${name}.png`), "");
  const { state } = await RunFiles.read(folder);
  expect(state.pictures).toEqual([
    { id: "predictions_frozen", label },
    { id: "predictions", label: "Last epoch" },
  ]);
});

it("a run that has come to its end shows the photos it labelled worst and best", async () => {
  const folder = await folderOf({ "config.json": "{}" });
  await mkdir(join(folder, "figures"));
  for (const name of ["worst_best", "overlay_worst_1", "overlay_best_1"])
    await writeFile(join(folder, "figures", `${name}.png`), name);
  const begun = await RunFiles.read(folder);
  expect(begun.state.photos).toEqual([]);
  expect(await begun.picture("worst_best")).toBeNull();
  await writeFile(join(folder, "summary.json"), "{}");
  const ended = (await begun.next())!;
  expect(ended.state.photos).toEqual([
    { id: "worst_best", label: "Worst and best" },
    { id: "overlay_worst_1", label: "Worst" },
    { id: "overlay_best_1", label: "Best" },
  ]);
  expect((await ended.picture("overlay_best_1"))?.toString()).toBe("overlay_best_1");
  expect(await ended.picture("overlay_best_2")).toBeNull();
});
