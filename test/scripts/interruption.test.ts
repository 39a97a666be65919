import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";

const SCRIPTS = fileURLToPath(new URL("../../scripts", import.meta.url));

/** Says in `calls` that it was called, and in `ended` that it came to its end, which takes it a moment. */
const NPM = `const { appendFileSync, writeFileSync } = require("node:fs");
process.on("SIGINT", () => setTimeout(() => { writeFileSync("ended", ""); process.exit(1); }, 300));
appendFileSync("calls", process.argv[2] + "\\n");
setInterval(() => {}, 1000);`;

test.runIf(process.platform !== "win32").each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s during set-up ends npm, then set-up",
  async (signal) => {
    const root = await mkdtemp(join(tmpdir(), "bespoke-interruption-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await cp(SCRIPTS, join(root, "scripts"), { recursive: true });
    await writeFile(join(root, "package.json"), "{}");
    await writeFile(join(root, "package-lock.json"), "{}");
    await writeFile(join(root, "npm-cli.js"), NPM);
    const launcher = spawn(process.execPath, ["scripts/launch.mjs", "--adapter=none", "x.ts"], {
      cwd: root,
      env: { ...process.env, npm_execpath: join(root, "npm-cli.js") },
      stdio: "ignore",
    });
    const exit = once(launcher, "exit");
    await vi.waitFor(() => expect(existsSync(join(root, "calls"))).toBe(true), { timeout: 20_000 });
    launcher.kill(signal);
    expect(await exit).toEqual([null, signal]);
    expect(existsSync(join(root, "ended"))).toBe(true);
    expect(existsSync(join(root, ".cache", "setup.lock"))).toBe(false);
    expect(await readFile(join(root, "calls"), "utf8")).toBe("ci\n");
  },
);
