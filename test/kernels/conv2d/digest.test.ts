import { expect, it } from "vitest";
import { matrixKernelsDigest } from "../../../src/kernels/conv2d/digest.ts";
import { paperGpu, paperTarget } from "../../helpers/target.ts";

it("is the same for the same kernels, and another for other texts or lists of tiles", async () => {
  const digest = await matrixKernelsDigest(paperTarget);
  expect(digest).toMatch(/^[0-9a-f]{16}$/);
  expect(await matrixKernelsDigest({ ...paperTarget, tileFor: () => ({ rows: 2, columns: 32 }) })).toBe(
    digest,
  );
  const workgroup = { ...paperTarget, family: "workgroup" as const };
  const others = await Promise.all(
    [
      { ...paperTarget, subgroupSize: 8 },
      workgroup,
      // The same texts, but more tiles to choose from.
      { ...workgroup, maxWorkgroupBytes: 49152, maxInvocations: 1024 },
      { ...workgroup, subgroupMatrix: paperGpu.subgroupMatrix },
    ].map(matrixKernelsDigest),
  );
  expect(new Set([digest, ...others]).size).toBe(5);
});
