import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adapterKind,
  chooseAdapter,
  isAdapterName,
  openedByName,
  parseAdapterList,
} from "../../scripts/setup/adapter-choice.mjs";

const GPU = "NVIDIA H100 80GB HBM3";
const LAVAPIPE = "llvmpipe (LLVM 15.0.6, 256 bits)";
const SWIFTSHADER = "SwiftShader Device (Subzero)";
const vulkan = (name: string) => ({ backend: "vulkan", name });

describe("adapterKind", () => {
  test.each([
    [GPU, "hardware"],
    ["AMD Radeon Graphics (RADV RENOIR)", "hardware"],
    ["Intel(R) UHD Graphics 620 (KBL GT2)", "hardware"],
    ["Apple M1 Max", "hardware"],
    [LAVAPIPE, "lavapipe"],
    [SWIFTSHADER, "swiftshader"],
    ["Microsoft Basic Render Driver", "software"],
  ])("%s is %s", (name, kind) => expect(adapterKind(name)).toBe(kind));
});

describe("parseAdapterList", () => {
  test("reads Dawn's refusal", () => {
    const message = `no suitable backends found\nAvailable adapters:\n * backend: 'vulkan', name: '${LAVAPIPE}'\n * backend: 'vulkan', name: 'It's one'\n`;
    expect(parseAdapterList(message)).toEqual([vulkan(LAVAPIPE), vulkan("It's one")]);
  });

  test("finds none in any other message", () => {
    expect(parseAdapterList("no suitable backends found\nAvailable adapters:\n")).toEqual([]);
    expect(parseAdapterList("")).toEqual([]);
  });
});

describe("chooseAdapter", () => {
  test("a GPU comes before software drivers, wherever it stands in the list", () => {
    const names = fc.shuffledSubarray([GPU, LAVAPIPE, SWIFTSHADER, "Microsoft Basic Render Driver"], {
      minLength: 1,
    });
    fc.assert(
      fc.property(names, (list) => {
        const choice = chooseAdapter(list.map(vulkan));
        const best = [GPU, LAVAPIPE, "Microsoft Basic Render Driver", SWIFTSHADER].find((name) =>
          list.includes(name),
        );
        expect(choice?.adapter.name).toBe(best);
      }),
    );
  });

  test("of two GPUs Dawn's first", () => {
    expect(chooseAdapter([vulkan(LAVAPIPE), vulkan("B"), vulkan("A")])?.adapter.name).toBe("B");
  });

  test("a kind or a part of a name narrows the choice", () => {
    const all = [GPU, LAVAPIPE, SWIFTSHADER].map(vulkan);
    expect(chooseAdapter(all, "swiftshader")?.adapter.name).toBe(SWIFTSHADER);
    expect(chooseAdapter(all, "LLVMPIPE")?.adapter.name).toBe(LAVAPIPE);
    expect(chooseAdapter(all, LAVAPIPE)?.adapter.name).toBe(LAVAPIPE);
    expect(chooseAdapter([vulkan(LAVAPIPE)], "hardware")).toBeNull();
    expect(chooseAdapter(all, "Voodoo")).toBeNull();
    expect(chooseAdapter([])).toBeNull();
  });

  test("a name in full is no part of another's", () => {
    const all = ["NVIDIA GeForce RTX 3080 Ti", "NVIDIA GeForce RTX 3080"].map(vulkan);
    expect(chooseAdapter(all, "nvidia geforce rtx 3080")?.adapter.name).toBe("NVIDIA GeForce RTX 3080");
    expect(chooseAdapter(all, "RTX 3080")?.adapter.name).toBe("NVIDIA GeForce RTX 3080 Ti");
    expect(openedByName(all, "NVIDIA GeForce RTX 3080")).toBe(all[0]);
    expect(openedByName(all, "nvidia")).toBeNull();
  });

  test("says that another one of the same name cannot be asked for", () => {
    const reason = chooseAdapter([LAVAPIPE, GPU, GPU].map(vulkan))?.reason;
    expect(reason).toMatch(
      /first hardware adapter.*; the first of 2 of this name: for another, .*VK_DRIVER_FILES/,
    );
    expect(chooseAdapter([LAVAPIPE, GPU].map(vulkan))?.reason).not.toContain("of this name");
  });

  test("says why", () => {
    expect(chooseAdapter([vulkan(LAVAPIPE)])?.reason).toBe("the only adapter");
    expect(chooseAdapter([LAVAPIPE, GPU].map(vulkan))?.reason).toMatch(/hardware/);
    expect(chooseAdapter([SWIFTSHADER, LAVAPIPE].map(vulkan))?.reason).toMatch(
      /no hardware adapter.*lavapipe/,
    );
    expect(chooseAdapter([vulkan(LAVAPIPE)], "lavapipe")?.reason).toMatch(/asked for/);
  });
});

test("auto and the kinds are no names", () => {
  expect(["auto", "hardware", "lavapipe", "swiftshader"].filter(isAdapterName)).toEqual([]);
  expect(isAdapterName(LAVAPIPE)).toBe(true);
});
