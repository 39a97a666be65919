import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { npmAbove, whenOneEnds } from "../../scripts/setup/forebears.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const posix = process.platform !== "win32";

interface Listed {
  readonly pid: number;
  readonly args: string;
}

/** The processes that have `text` in their command lines; npm shows its own there. */
function processesOf(text: string): Listed[] {
  return spawnSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((line) => line.includes(text))
    .map((line) => ({ pid: Number.parseInt(line, 10), args: line }));
}

/** `npm run ui` for real, serving its page; everything that belongs to it has the run's folder in its command line. */
async function servedPage(): Promise<{ npm: number; folder: string; errors: () => string }> {
  const folder = await mkdtemp(join(tmpdir(), "bespoke-forebears-"));
  await mkdir(join(folder, "run"));
  await writeFile(join(folder, "run", "config.json"), "{}");
  const npm = spawn("npm", ["run", "ui", "--", join(folder, "run"), "--port", "0"], { cwd: ROOT });
  onTestFinished(async () => {
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  let errors = "";
  npm.stderr.on("data", (chunk: Buffer) => void (errors += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    let output = "";
    npm.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("The run's page")) resolve();
    });
    npm.on("close", () => reject(new Error(errors)));
  });
  return { npm: npm.pid!, folder, errors: () => errors };
}

describe.runIf(posix)("a command ends tidily with what started it", () => {
  const allGone = (folder: string): Promise<void> =>
    vi.waitFor(() => expect(processesOf(folder)).toEqual([]), { timeout: 15_000, interval: 200 });

  /** What a process said last may be read after it has gone. */
  const said = (errors: () => string): Promise<void> =>
    vi.waitFor(() => expect(errors()).toContain("Stopping."));

  test.each(["SIGTERM", "SIGHUP", "SIGKILL"] as const)("when npm gets %s", async (signal) => {
    const { npm, folder, errors } = await servedPage();
    process.kill(npm, signal);
    await allGone(folder);
    await said(errors);
  });

  test("when the launcher is killed", async () => {
    const { folder, errors } = await servedPage();
    const [launcher] = processesOf(folder).filter(
      ({ args }) => / node scripts\/launch\.mjs/.test(args) && !/ -c /.test(args),
    );
    process.kill(launcher.pid, "SIGKILL");
    await allGone(folder);
    await said(errors);
  });
});

test("nothing is above a process that npm did not start", async () => {
  expect(await npmAbove(null)).toEqual([]);
});

describe("whenOneEnds", () => {
  test("calls once when a process has ended, though nobody has asked how", async () => {
    // Its parent, which does not wait for it, keeps it as a zombie.
    const parent = spawn(
      "sh",
      ["-c", `"${process.execPath}" -e "setTimeout(() => {}, 600)" & echo $!; exec sleep 60`],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    onTestFinished(() => void parent.kill("SIGKILL"));
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve)));
    const then = vi.fn();
    const release = whenOneEnds([process.pid, pid], then);
    onTestFinished(release);
    await sleep(100);
    expect(then).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(then).toHaveBeenCalledOnce(), 10_000);
  });

  test("does not keep the process alive", () => {
    const module = new URL("../../scripts/setup/forebears.mjs", import.meta.url).href;
    const code = `import { whenOneEnds } from ${JSON.stringify(module)}; whenOneEnds([process.pid], () => {});`;
    const { status, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      timeout: 20_000,
    });
    expect([status, signal]).toEqual([0, null]);
  });
});
