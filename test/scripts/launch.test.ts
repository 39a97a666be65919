import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { nodeArguments } from "../../scripts/setup/launcher.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const posix = process.platform !== "win32";

describe("nodeArguments", () => {
  test("a TypeScript file runs through tsx, a program by its own entry", () => {
    const [flag, tsx, file] = nodeArguments("src/cli/doctor.ts");
    expect([flag, file]).toEqual(["--import", join(ROOT, "src/cli/doctor.ts")]);
    expect(tsx).toMatch(/^file:.*tsx/);
    expect(nodeArguments("vitest")).toEqual([join(ROOT, "node_modules/vitest/vitest.mjs")]);
  });

  test("what is not there is named", () => {
    expect(() => nodeArguments("src/cli/no-such.ts")).toThrow(/no-such\.ts/);
    expect(() => nodeArguments("no-such-program")).toThrow(/no-such-program/);
  });
});

test("an old Node gets one sentence", () => {
  const disguise = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.0" } })`;
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      "--import",
      `data:text/javascript,${encodeURIComponent(disguise)}`,
      join(ROOT, "scripts/launch.mjs"),
      "x.ts",
    ],
    { encoding: "utf8" },
  );
  expect(status).toBe(1);
  expect(stderr.trim()).toMatch(/^bespoke: this needs Node 20\.9 or newer and found 18\.20\.0: .*\.$/);
});

test.skipIf(!posix)("a rank keeps what it talks to its mpiexec by", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bespoke-launch-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "tell.ts");
  await writeFile(file, `import { writeSync } from "node:fs"; writeSync(7, "here");`);
  const child = spawn(process.execPath, [join(ROOT, "scripts/launch.mjs"), "--adapter=none", file], {
    env: { ...process.env, PMI_FD: "7" },
    stdio: ["ignore", "inherit", "inherit", "ignore", "ignore", "ignore", "ignore", "pipe"],
  });
  let told = "";
  const pipe = (child.stdio as readonly unknown[])[7] as Readable;
  pipe.on("data", (text: Buffer) => (told += text.toString()));
  await once(child, "close");
  expect([child.exitCode, told]).toEqual([0, "here"]);
});

test("--adapter=none runs a command without looking for an adapter", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bespoke-launch-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "tell.ts");
  await writeFile(file, `process.stdout.write(process.argv.slice(2).join() satisfies string)`);
  const launch = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, "scripts/launch.mjs"), ...args], {
      encoding: "utf8",
      // A kind that does not exist: whoever looks for an adapter says so.
      env: { ...process.env, BESPOKE_ADAPTER: "no-such-kind" },
    });
  const { status, stdout } = launch("--adapter=none", file, "--only", "data");
  expect([status, stdout]).toEqual([0, "--only,data"]);
  const looking = launch(file);
  expect([looking.status, looking.stdout]).toEqual([1, ""]);
  expect(looking.stderr).toContain("no-such-kind");
  // Nothing is installed for the sake of somebody who asks how a command is used.
  for (const flag of ["--help", "-h", "--version"]) expect(launch(file, flag).stdout).toBe(flag);
});

/** A process that runs `code` in its place as the launcher does, and is ready when the child has printed something. */
async function launched(code: string) {
  const runner =
    `import { runInPlace } from ${JSON.stringify(new URL("../../scripts/setup/processes.mjs", import.meta.url).href)};` +
    `await runInPlace(process.execPath, ["-e", ${JSON.stringify(code)}], process.env);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", runner], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  await once(child.stdout, "data");
  return { child, exit };
}

describe.runIf(posix)("runInPlace", () => {
  test("ends with the command's exit code", async () => {
    const { exit } = await launched(`console.log("ready"); process.exitCode = 7`);
    expect(await exit).toEqual([7, null]);
  });

  test("ends by the signal that ended the command", async () => {
    const { exit } = await launched(`console.log("ready"); process.kill(process.pid, "SIGKILL")`);
    expect(await exit).toEqual([null, "SIGKILL"]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "passes %s on, once, and waits for the command's end",
    async (signal) => {
      const { child, exit } = await launched(
        `let seen = 0; process.on("${signal}", () => { seen += 1; setTimeout(() => process.exit(40 + seen), 200) });` +
          `setInterval(() => {}, 1000); console.log("ready")`,
      );
      child.kill(signal);
      expect(await exit).toEqual([41, null]);
    },
  );
});
