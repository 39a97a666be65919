import { describe, it } from "vitest";
import { targetFor, WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { checkEveryTile, TILED } from "./tiles-cases.ts";

const gpu = useGpu();

const [[, inFours], [, odd]] = TILED;

describe("workgroup tiles", () => {
  it("compute a convolution and its gradients, channels in fours, in every one of them", async (context) => {
    await checkEveryTile(gpu(), targetFor(gpu(), WORKGROUP["workgroup tiles"], context), inFours);
  });

  // Single values go where vectors do, whatever the tile.
  it("compute a convolution and its gradients, odd channels, in the first two", async (context) => {
    const target = targetFor(gpu(), WORKGROUP["workgroup tiles"], context);
    await checkEveryTile(gpu(), target, odd, { most: 2 });
  });
});
