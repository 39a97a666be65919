import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installedLavapipe } from "../../scripts/setup/lavapipe.mjs";
import { adapterOfRank, adapterSentences, localRankOf } from "../../src/adapter/rank-adapter.ts";
import type { RankAdapter } from "../../src/adapter/rank-adapter.ts";
import type { VulkanDevice } from "../../src/adapter/vulkan-devices.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE = fileURLToPath(new URL("pci-driver.c", import.meta.url));
const [H100, A2, LAVAPIPE, SWIFTSHADER] = [
  "NVIDIA H100 80GB HBM3",
  "NVIDIA A2",
  "llvmpipe (LLVM 15.0.6, 256 bits)",
  "SwiftShader Device (Subzero)",
];
const vulkan = (...names: string[]) => names.map((name) => ({ backend: "vulkan", name }));

test("a rank's place among those of its host", () => {
  const hosts = ["a", "b", "a", "a", "b"];
  expect(hosts.map((_, rank) => localRankOf(hosts, rank))).toEqual([0, 0, 1, 2, 1]);
});

describe("the adapter of a rank", () => {
  const taken = (found: ReturnType<typeof vulkan>, wishes: string[], ranks: number) =>
    Array.from({ length: ranks }, (_, rank) => adapterOfRank(found, wishes, rank)?.adapter.name);

  test("is a GPU of its own, and the first again where there are fewer; a software driver where there is none", () => {
    const found = vulkan(LAVAPIPE, H100, A2, SWIFTSHADER);
    expect(taken(found, ["auto"], 4)).toEqual([H100, A2, H100, A2]);
    expect(taken(found, ["hardware"], 2)).toEqual([H100, A2]);
    expect(taken(vulkan(SWIFTSHADER, LAVAPIPE), ["auto"], 2)).toEqual([LAVAPIPE, LAVAPIPE]);
    expect(adapterOfRank(vulkan(LAVAPIPE), ["hardware"], 0)).toBeNull();
  });

  test("is one of several of a name, in turn", () => {
    const found = vulkan(H100, LAVAPIPE, A2, H100, H100);
    const places = [0, 1, 2, 3, 4].map((rank) => adapterOfRank(found, ["H100"], rank));
    expect(places.map((place) => [place!.place, place!.alike])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
      [0, 3],
      [1, 3],
    ]);
    expect(adapterOfRank(found, ["auto"], 1)).toMatchObject({ adapter: { name: A2 }, place: 0, alike: 1 });
  });

  test("is what a list names by place, each entry in turn of what is meant by it", () => {
    const found = vulkan(H100, LAVAPIPE, A2);
    expect(taken(found, ["lavapipe", "hardware"], 4)).toEqual([LAVAPIPE, H100, LAVAPIPE, A2]);
    expect(adapterOfRank(found, ["hardware", "swiftshader"], 1)).toBeNull();
  });

  test("is not the same GPU through another backend", () => {
    const found = [...vulkan(H100), { backend: "d3d12", name: H100 }, ...vulkan(A2)];
    expect(taken(found, ["auto"], 3)).toEqual([H100, A2, H100]);
  });

  test("no adapter has two ranks more than another", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(H100, A2), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (names, ranks) => {
          const found = vulkan(...names);
          const counts = found.map(() => 0);
          for (let rank = 0; rank < ranks; rank++)
            counts[found.indexOf(adapterOfRank(found, ["auto"], rank)!.adapter)]++;
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

describe("what is said of the adapters", () => {
  const told = (name: string, device: string, alike = 1): RankAdapter => ({
    ...{ name, kind: "hardware", device, alike },
  });

  test("names one that all have once", () => {
    expect(adapterSentences([told(A2, "1"), told(A2, "2")], ["a", "a"])).toEqual([
      `Adapter: ${A2} (hardware)`,
    ]);
    // Of other hosts they are others, whatever their numbers.
    expect(adapterSentences([told(A2, "1"), told(A2, "1")], ["a", "b"])).toEqual([
      `Adapter: ${A2} (hardware)`,
    ]);
  });

  test("names the ranks that share one, and why", () => {
    const hosts = ["a", "a", "a", "b"];
    expect(adapterSentences([told(A2, "1"), told(H100, "2"), told(A2, "1"), told(A2, "1")], hosts)).toEqual([
      `Adapter of ranks 0, 2 and 3: ${A2} (hardware)`,
      `Adapter of rank 1: ${H100} (hardware)`,
      `Ranks 0 and 2 of a share ${A2}: there is no other one for them.`,
    ]);
    expect(adapterSentences([told(A2, "1", 8), told(A2, "1", 8)], ["a", "a"])[1]).toBe(
      `Ranks 0 and 1 of a share ${A2}: it has 8 of this name, which cannot be told apart: docs/scale.md says how each rank is ` +
        `given its own.`,
    );
  });
});

/** Mesa's layer for choosing a device, by which others of a name are kept out of sight. */
const LAYER = "/usr/share/vulkan/implicit_layer.d/VkLayer_MESA_device_select.json";

const lavapipe = installedLavapipe();
const missing =
  process.platform !== "linux" || lavapipe === null
    ? "lavapipe"
    : !existsSync(LAYER)
      ? "Mesa's layer for choosing a device"
      : spawnSync("gcc", ["--version"]).status !== 0
        ? "gcc"
        : null;
if (missing !== null) console.warn(`Adapters of one name are not tested: there is no ${missing}.`);

describe.skipIf(missing !== null)("adapters of one name", () => {
  let folder: string;
  let drivers: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-drivers-"));
    const manifest = JSON.parse(await readFile(lavapipe!, "utf8")) as { ICD: { library_path: string } };
    drivers = [];
    for (const bus of [1, 2, 3]) {
      const library = join(folder, `driver-${bus}.so`);
      const flags = ["-shared", "-fPIC", `-DBUS=${bus}`, `-DLAVAPIPE="${manifest.ICD.library_path}"`];
      const { status, stderr } = spawnSync("gcc", [...flags, "-o", library, SOURCE], { encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
      drivers.push(join(folder, `driver-${bus}.json`));
      await writeFile(
        drivers.at(-1)!,
        JSON.stringify({ ...manifest, ICD: { ...manifest.ICD, library_path: library } }),
      );
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  interface Opened {
    readonly told: RankAdapter;
    readonly inSight: VulkanDevice[];
    readonly name: string;
  }

  /** What a rank opens, in a process of its own. */
  function open(rank: number, env: NodeJS.ProcessEnv = {}): Opened {
    const code =
      `const { openRankAdapter } = await import("./src/adapter/rank-adapter.ts");` +
      `const { vulkanDevices } = await import("./src/adapter/vulkan-devices.ts");` +
      `const { adapter, told } = await openRankAdapter(["auto"], ${rank});` +
      `const device = await adapter.requestDevice(); device.destroy();` +
      `console.log(JSON.stringify({ told, inSight: await vulkanDevices(), name: adapter.info.device })); process.exit(0);`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", code],
      {
        cwd: ROOT,
        env: { ...process.env, DRI_PRIME: undefined, VK_DRIVER_FILES: drivers.join(delimiter), ...env },
        encoding: "utf8",
      },
    );
    expect(stdout, stderr).toMatch(/^\{.*\}$/m);
    return JSON.parse(stdout.split("\n").find((line) => line.startsWith("{"))!) as Opened;
  }

  test.each([0, 1, 2, 3])("are taken one by each rank, by its place on the bus: rank %i", (rank) => {
    const { told, inSight, name } = open(rank);
    expect(name).toContain("llvmpipe");
    expect(told).toMatchObject({ kind: "lavapipe", alike: 1 });
    expect(inSight.map(({ pci, uuid }) => [pci, uuid])).toEqual([
      [`0000:0${(rank % 3) + 1}:00.0`, told.device],
    ]);
  });

  test("are one card each though a driver is installed twice", async () => {
    const twice = [
      ...drivers.slice(0, 2),
      ...["again-1.json", "again-2.json"].map((name) => join(folder, name)),
    ];
    for (const i of [0, 1]) await copyFile(twice[i], twice[i + 2]);
    const seen = [0, 1].map((rank) => open(rank, { VK_DRIVER_FILES: twice.join(delimiter) }).inSight[0].pci);
    expect(seen).toEqual(["0000:01:00.0", "0000:02:00.0"]);
  });

  test("are the first for all where they cannot be kept out of sight", () => {
    const ranks = [0, 1].map((rank) => open(rank, { NODEVICE_SELECT: "1" }));
    for (const { told, inSight } of ranks) {
      expect(inSight).toHaveLength(3);
      expect(told).toMatchObject({ alike: 3, device: inSight[0].uuid });
    }
  });
});
