import { describe, it } from "vitest";
import { targetFor, WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { checkEveryTile, TILED } from "./tiles-cases.ts";

compileQuickly({ narrow: true });
const gpu = useGpu();

describe("every one of the workgroup tiles", () => {
  it.for(TILED)("computes a convolution and its gradients, %s", async ([, g], context) => {
    await checkEveryTile(gpu(), targetFor(gpu(), WORKGROUP["workgroup tiles"], context), g);
  });
});
