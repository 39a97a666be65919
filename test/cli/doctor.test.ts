import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { DoctorReport } from "../../src/cli/doctor-report.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function doctor(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, ["--import", "tsx", "src/cli/doctor.ts", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
}

test("--json tells everything and nothing else", () => {
  const { status, stdout } = doctor(["--json"]);
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report).toMatchObject({ ok: true, problem: null, node: process.versions.node, webgpu: "0.6.2" });
  expect(report.adapters.filter(({ chosen }) => chosen)).toHaveLength(1);
  expect(report.chosen?.reason).not.toBe("");
  expect(report.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 1024 * 1024);
  expect(report.features).toContain("core-features-and-limits");
  expect(report.selfTest).toMatchObject({ ok: true });
  expect(status).toBe(0);
});

test("the text names the adapter and the self-test's result", () => {
  const { status, stdout } = doctor([]);
  expect(stdout).toMatch(/^Node +\d+\./m);
  expect(stdout).toMatch(/^Chosen +\S/m);
  expect(stdout).toMatch(/^Self-test +passed: 256 of 256 numbers right/m);
  expect(status).toBe(0);
});

// Metal and Direct3D cannot be hidden by a variable.
test.runIf(process.platform === "linux")(
  "no adapter: one sentence, set-up's where it has one, exit 1",
  () => {
    const hidden = {
      VK_DRIVER_FILES: "/nonexistent",
      VK_ICD_FILENAMES: "/nonexistent",
      BESPOKE_CHOSEN_ADAPTER: "",
    };
    const { status, stdout, stderr } = doctor([], hidden);
    expect(stdout).toMatch(/^Adapters +none$/m);
    expect(stderr).toMatch(/^doctor: No WebGPU adapter was found: run .*\.$/m);
    expect(status).toBe(1);

    const json = doctor(["--json"], {
      ...hidden,
      BESPOKE_SETUP_PROBLEM: "no WebGPU adapter was found: run this.",
    });
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problem: "no WebGPU adapter was found: run this.",
      adapters: [],
      chosen: null,
      selfTest: null,
    });
  },
);
