import { describe, it } from "vitest";
import { FAMILIES, targetFor } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { checkBlockInEveryTile } from "./tiled-dense-block.ts";

compileQuickly({ narrow: true });
const gpu = useGpu();

describe("products that load and store norms, workgroup tiles", () => {
  it("give the same in every tile of their lists", async (context) => {
    const { family } = targetFor(gpu(), FAMILIES["workgroup tiles"], context);
    await checkBlockInEveryTile(gpu(), family);
  });
});
