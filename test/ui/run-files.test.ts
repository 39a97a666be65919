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
