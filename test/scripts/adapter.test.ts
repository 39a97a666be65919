import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensureAdapter } from "../../scripts/setup/adapter.mjs";
import { PACKAGES } from "../../scripts/setup/lavapipe.mjs";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bespoke-adapter-"));
  // An apt that refuses, and says that it was asked.
  const apt = join(root, "apt-get");
  writeFileSync(
    apt,
    `#!/bin/sh\necho "$1" >> ${JSON.stringify(join(root, "asked"))}\necho "E: no" >&2\nexit 100\n`,
  );
  chmodSync(apt, 0o755);
  vi.stubEnv("PATH", `${root}${delimiter}${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

/** A Vulkan that has no driver. */
const without = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  ...{ VK_DRIVER_FILES: "", VK_ICD_FILENAMES: "", VK_LOADER_DRIVERS_DISABLE: "*" },
  ...{ BESPOKE_ADAPTER: "lavapipe", BESPOKE_NO_APT: "", ...env },
});

test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
  "before apt installs anything, it is said what and how to decline",
  async () => {
    let askedBefore = true;
    const say = vi.spyOn(console, "error").mockImplementation(() => {
      askedBefore = existsSync(join(root, "asked"));
    });
    await expect(ensureAdapter(root, without())).rejects.toThrow(/lavapipe could not be installed/);
    const [[notice]] = say.mock.calls as string[][];
    for (const name of PACKAGES) expect(notice).toContain(name);
    expect(notice).toContain("BESPOKE_NO_APT=1");
    expect(askedBefore).toBe(false);
    expect(existsSync(join(root, "asked"))).toBe(true);
  },
);

test.runIf(process.platform === "linux")("BESPOKE_NO_APT=1 keeps apt from being asked", async () => {
  await expect(ensureAdapter(root, without({ BESPOKE_NO_APT: "1" }))).rejects.toThrow(
    /BESPOKE_NO_APT keeps lavapipe from being installed/,
  );
  expect(existsSync(join(root, "asked"))).toBe(false);
});
