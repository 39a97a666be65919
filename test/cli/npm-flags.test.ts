import { Command } from "commander";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { tellLaunched } from "../../scripts/setup/launched.mjs";
import { refuseNpmFlags } from "../../src/cli/npm-flags.ts";
import { userModel, userPath } from "../../src/cli/user-path.ts";
import { npmRun } from "./command-process.ts";

const ROOT = process.cwd();
const script = { name: "train", text: "node scripts/launch.mjs src/cli/train.ts", folder: join(ROOT, "src") };
/** As the launcher of this process would have it when npm had started it. */
const launched = tellLaunched({ pid: process.ppid, script });

describe("refuseNpmFlags", () => {
  const command = new Command("train")
    .option("--dry-run")
    .option("--force")
    .option("--data <folder>")
    .option("--cache")
    .option("--tune")
    .option("--no-tune")
    .option("--batch-size <n>");
  const refusal = (env: NodeJS.ProcessEnv, argv: string[] = []): string | null => {
    try {
      refuseNpmFlags(command, argv, { ...launched, ...env });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("names what npm kept and what to write", () => {
    expect(refusal({ npm_config_dry_run: "true" })).toMatch(
      /^npm took --dry-run for itself: put -- before the flags, npm run train -- --dry-run/,
    );
    // `npm run train --data X --batch-size=4 --no-tune`: X comes as an argument.
    const all = { npm_config_data: "true", npm_config_batch_size: "4", npm_config_tune: "" };
    expect(refusal(all, ["X"])).toMatch(
      /^npm took --data and --no-tune and --batch-size for itself: .* -- --data … --no-tune --batch-size=4/,
    );
  });

  it("passes over what was heard, what is npm's own and what npm did not start", () => {
    expect(refusal({ npm_config_data: "X" }, ["--data", "Y"])).toBeNull();
    expect(refusal({ npm_config_cache: "/home/me/.npm", npm_config_loglevel: "verbose" })).toBeNull();
    expect(() => refuseNpmFlags(command, [], { npm_config_dry_run: "true" })).not.toThrow();
    const elsewhere = tellLaunched({ pid: process.pid, script });
    expect(() => refuseNpmFlags(command, [], { ...elsewhere, npm_config_dry_run: "true" })).not.toThrow();
  });

  it("passes over what an .npmrc says", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bespoke-npmrc-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, ".npmrc"), "fund=false\nforce = true\n");
    const env = { npm_config_force: "true", npm_config_userconfig: join(folder, ".npmrc") };
    expect(refusal(env)).toBeNull();
    expect(refusal({ ...env, npm_config_dry_run: "true" })).toMatch(/^npm took --dry-run for itself/);
  });
});

describe("userPath", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is relative to where the user of npm run stands", () => {
    vi.stubEnv("BESPOKE_LAUNCHED", launched.BESPOKE_LAUNCHED);
    expect(userPath("cli/ui.ts")).toBe(join(ROOT, "src", "cli", "ui.ts"));
    expect(userModel("cli/ui.ts")).toBe(join(ROOT, "src", "cli", "ui.ts"));
    // The name of a run below runs, perhaps.
    expect(userModel("train-1")).toBe("train-1");
  });

  it("stays as it is from the checkout itself, and where npm started something else", () => {
    const there = tellLaunched({ pid: process.ppid, script: { ...script, folder: ROOT } });
    const further = tellLaunched({ pid: process.pid, script });
    for (const { BESPOKE_LAUNCHED } of [there, further]) {
      vi.stubEnv("BESPOKE_LAUNCHED", BESPOKE_LAUNCHED);
      expect(userPath("photos")).toBe("photos");
    }
  });
});

describe.runIf(process.platform !== "win32")("npm run", () => {
  it("refuses a flag that npm keeps", async () => {
    const { code, errors, output } = await npmRun("convert", ["in", "out"], { flags: ["--force"] });
    expect(code).toBe(1);
    expect(errors).toContain(
      "npm took --force for itself: put -- before the flags, npm run convert -- --force.",
    );
    expect(output).not.toContain("Written");
  });

  it("takes paths from below the checkout", async () => {
    await mkdir(join(ROOT, ".cache"), { recursive: true });
    const cwd = await mkdtemp(join(ROOT, ".cache", "user-path-"));
    onTestFinished(() => rm(cwd, { recursive: true }));
    await mkdir(join(cwd, "run"));
    await writeFile(join(cwd, "run", "config.json"), "{}");
    const { output } = await npmRun("ui", ["run", "--port", "0"], {
      cwd,
      onOutput: (said, kill) => {
        if (said.includes("The run's page")) kill("SIGTERM");
      },
    });
    expect(output).toContain("The run's page");
  });
});
