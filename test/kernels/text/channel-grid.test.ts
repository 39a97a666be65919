import { describe, expect, it } from "vitest";
import { channelGrid } from "../../../src/kernels/text/channel-grid.ts";
import { copyChannels } from "../../../src/kernels/copy-channels.ts";
import { laneFor } from "../../../src/kernels/text/lane.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";

describe("the grid over rows of channels", () => {
  const gpu = useGpu();

  it("takes four channels at once where every extent allows it", () => {
    expect(laneFor(64, 32, 4).width).toBe(4);
    expect(laneFor(64, 30).width).toBe(1);
  });

  it.each([
    [100, 5],
    [17, 64],
  ])("reaches %i rows of %i channels with few workgroups", async (rows, channels) => {
    const target = { ...paperTarget, maxWorkgroupsPerDimension: 2 };
    expect(channelGrid(target, rows, 8)).toEqual([1, 2, 1]);
    const x = Float32Array.from({ length: rows * channels }, (_, i) => i);
    const all = { width: channels, begin: 0 };
    const kernel = copyChannels(target, rows, channels, all, all);
    const { y } = await runKernels(gpu(), [kernel], { x, y: x.length }, ["y"]);
    expect(y).toEqual(x);
  });
});
