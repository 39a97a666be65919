import { expect, it } from "vitest";
import { resolveConfig } from "../../../src/config/index.ts";
import { dryRun } from "../../../src/train/forecast/dry-run.ts";
import { useGpu } from "../../helpers/gpu.ts";

const gpu = useGpu();

it("tells of the programs that run when features are cached", async () => {
  const said = { imageSize: 32, batchSize: 2, epochsFrozen: 1, epochsFinetune: 0, cacheFeatures: true };
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  await dryRun({ config: resolveConfig([{ file: null, said }], "lavapipe"), gpu: gpu(), say });
  const output = lines.join("\n");
  expect(output).toMatch(/image +\[2, 32, 32, 3\]/);
  expect(output).toMatch(/encoder +\d+ dispatches for 2 new photos, \d+ MiB/);
  expect(output).toMatch(
    /features +180 KiB a photo, kept of the first \d+ in up to \d+ MiB of this machine's memory/,
  );
  const count = (pattern: RegExp): number => Number(pattern.exec(output)![1]);
  expect(count(/dispatches +(\d+) a step/)).toBeLessThan(count(/encoder +(\d+) dispatches/));
  expect(output).toMatch(/encoder +[\d.]+ s more for a step whose photos are all new/);
  expect(output).toMatch(/whole run +at most about/);
});
