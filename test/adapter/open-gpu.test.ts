import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { describeAdapter, listAdapters, openAdapter, preferenceFor } from "../../src/adapter/adapters.ts";
import { openGpu } from "../../src/adapter/open-gpu.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs TypeScript in a process of its own and hands back how it ended. */
function run(code: string, env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
}

describe("openGpu", () => {
  test("opens a device, with WebGPU's globals in scope", async () => {
    const gpu = await openGpu();
    expect(GPUBufferUsage.STORAGE).toBeGreaterThan(0);
    const buffer = gpu.createBuffer("test", 16, GPUBufferUsage.STORAGE);
    expect(buffer.size).toBe(16);
    gpu.destroy();
  });

  test("names the adapters there are when none matches", async () => {
    const [{ name }] = await listAdapters();
    await expect(openGpu({ adapter: "no such adapter" })).rejects.toThrow(
      `No WebGPU adapter matches "no such adapter": this machine has "${name}"`,
    );
  });

  test("takes a part of a name in any case", async () => {
    const [{ name }] = await listAdapters();
    const adapter = await openAdapter(name.slice(0, 5).toUpperCase());
    expect(adapter.limits.maxBufferSize).toBeGreaterThan(0);
  });

  test.each(["gpu.destroy();", ""])("lets the process end by itself (%j)", (end) => {
    const { status, signal } = run(
      `const { openGpu } = await import("./src/adapter/open-gpu.ts"); const gpu = await openGpu(); ${end} console.log("end");`,
    );
    expect([status, signal]).toEqual([0, null]);
  });

  test("says in one sentence that there is no adapter", () => {
    const { status, stdout } = run(
      `const { openGpu } = await import("./src/adapter/open-gpu.ts");` +
        `await openGpu({ adapter: "auto" }).then(() => console.log("opened"), (error) => console.log(error.message));`,
      { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "/nonexistent" },
    );
    expect(status).toBe(0);
    if (process.platform === "linux")
      expect(stdout).toMatch(/^No WebGPU adapter was found: run `npm run doctor`/);
  });
});

describe("preferenceFor", () => {
  const adapters = (...names: string[]) => names.map((name) => ({ backend: "vulkan", name }));
  const [plain, ti] = ["NVIDIA GeForce RTX 3080", "NVIDIA GeForce RTX 3080 Ti"];
  const saving =
    (...names: string[]) =>
    () =>
      Promise.resolve(adapters(...names));

  test("finds the order in which Dawn opens the adapter of just this name", async () => {
    expect(await preferenceFor(plain, adapters(plain, ti))).toBe("high-performance");
    expect(await preferenceFor(plain, adapters(ti, plain), saving(plain, ti))).toBe("low-power");
  });

  test("says which one it would get where there is none", async () => {
    await expect(preferenceFor(plain, adapters(ti, plain), saving(ti, plain))).rejects.toThrow(
      `Dawn opens "${ti}" when it is asked for "${plain}"`,
    );
  });
});

describe("describeAdapter", () => {
  const info = { vendor: "", architecture: "", device: "", description: "", isFallbackAdapter: false };
  const describing = (fields: Partial<typeof info>) =>
    describeAdapter({ info: { ...info, ...fields } as unknown as GPUAdapterInfo });

  test("tells hardware from software", () => {
    expect(describing({ vendor: "nvidia", device: "nvidia-h100-" })).toMatchObject({
      name: "nvidia-h100",
      kind: "hardware",
      software: false,
    });
    expect(describing({ device: "llvmpipe-llvm-15" })).toMatchObject({ kind: "lavapipe", software: true });
    expect(describing({ architecture: "swiftshader" })).toMatchObject({
      kind: "swiftshader",
      software: true,
    });
    expect(describing({ description: "unheard of", isFallbackAdapter: true })).toMatchObject({
      name: "unheard of",
      kind: "software",
    });
  });

  test("describes the adapter of this machine", async () => {
    const [{ name }] = await listAdapters();
    const adapter = await openAdapter(name);
    expect(describeAdapter(adapter).name).not.toBe("unknown adapter");
  });
});
