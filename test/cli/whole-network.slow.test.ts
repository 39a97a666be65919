import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Summary } from "../../src/runs/summary.ts";
import { readSafetensors } from "../../src/weights/safetensors-file.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { runCommandLine } from "./command-process.ts";
import { ending } from "./run-end.ts";

/** Two steps of each phase. */
const RUN = [
  ...["--image-size", "32", "--batch-size", "2", "--validation-photos", "4", "--seed", "7"],
  ...["--epochs-frozen", "1", "--epochs-finetune", "1", "--steps-per-epoch", "2"],
];

describe("npm run train on a whole DenseNet121", () => {
  const inFolder = temporaryFolder();

  async function train(args: readonly string[]): Promise<string> {
    const options = { cwd: inFolder("."), wholeNetwork: true, whiteFigures: true };
    const { code, output, errors } = await runCommandLine("train", args, options);
    expect([code, errors]).toEqual([0, ""]);
    return output;
  }

  it("takes few pipelines, and goes on amid fine-tuning to the bits of a run that did not stop", async () => {
    await train([...RUN, "--out", "whole"]);
    const summary = JSON.parse(await readFile(inFolder("whole/summary.json"), "utf8")) as Summary;
    expect(summary).toMatchObject({ steps: 4, epochs: 2, validation_photos: 4 });
    expect(summary.pipelines).toBeLessThanOrEqual(64);
    const { tensors } = await readSafetensors(inFolder("whole/checkpoints/last.safetensors"));
    expect(tensors.get("conv5_block16_2_conv/kernel")?.shape).toEqual([3, 3, 128, 32]);
    expect(tensors.get("head/kernel")?.shape).toEqual([3, 3, 128, 59]);

    await train([...RUN, "--out", "stopped", "--max-steps", "3"]);
    expect((await ending(inFolder("stopped"))).state).toMatchObject({ globalStep: 3, step: 1 });
    expect(await train(["--resume", "stopped"])).toContain("Taking up stopped after step 3");
    expect(await ending(inFolder("stopped"))).toEqual(await ending(inFolder("whole")));
  });
});
