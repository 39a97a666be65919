import { describe, it } from "vitest";
import { FAMILIES, targetFor } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { checkBlockInEveryTile } from "./tiled-dense-block.ts";

const gpu = useGpu();

describe("products that load and store norms, workgroup tiles", () => {
  it("give the same in every tile of their lists", async (context) => {
    const { family } = targetFor(gpu(), FAMILIES["workgroup tiles"], context);
    await checkBlockInEveryTile(gpu(), family);
  });
});
