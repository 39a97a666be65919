import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensorBoard } from "../../src/runs/tensorboard/tensorboard.ts";
import { EventLog } from "../../src/ui/event-log.ts";
import { SimulatedRun } from "./simulated-run.ts";

describe("EventLog", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "bespoke-events-"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  /** What TensorBoard's observer writes of one epoch. */
  async function written(folder: string): Promise<Buffer> {
    const run = new SimulatedRun(root);
    const events = tensorBoard(folder);
    await events.start!(run.info);
    run.steps(events, 1);
    await run.epoch(events, 1);
    await events.close!();
    const [name] = await readdir(folder);
    return readFile(join(folder, name));
  }

  it("reads what is there as it grows, whole records only", async () => {
    const bytes = await written(join(root, "whole"));
    const path = join(root, "events.out.tfevents.1.host");
    await writeFile(path, bytes.subarray(0, 0));
    const log = new EventLog(root);
    const half = Math.floor(bytes.length / 2);
    let read = 0;
    for (const end of [5, 40, half, bytes.length - 1, bytes.length]) {
      await appendFile(path, bytes.subarray(read, end));
      read = end;
      await log.update();
      expect(log.pictured).toEqual(end === bytes.length ? [6] : []);
    }
    expect(log.steps.map(({ globalStep }) => globalStep)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(log.steps[0].loss).toBeCloseTo(2.5018, 3);
    expect((await log.picture(6))!.subarray(1, 4).toString()).toBe("PNG");
    expect(await log.picture(7)).toBeNull();
  });

  it("makes do with a folder or a file that is none", async () => {
    const nowhere = new EventLog(join(root, "nowhere"));
    await nowhere.update();
    expect(nowhere.steps).toEqual([]);
    const folder = await mkdtemp(join(root, "noise-"));
    await writeFile(join(folder, "a.tfevents.b"), Buffer.alloc(5000, 0xff));
    const noise = new EventLog(folder);
    await noise.update();
    expect(noise.steps).toEqual([]);
  });
});
