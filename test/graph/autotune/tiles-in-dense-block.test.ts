import { describe, it } from "vitest";
import { useGpu } from "../../helpers/gpu.ts";
import { checkBlockInEveryTile } from "./tiled-dense-block.ts";

const gpu = useGpu();

describe("products that load and store norms, register tiles", () => {
  it("give the same in every tile of their lists", () => checkBlockInEveryTile(gpu(), "register"));
});
