import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { tellLaunched } from "../../scripts/setup/launched.mjs";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
const MODULE = new URL("../../src/cli/run-command.ts", import.meta.url).href;
const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

/** A process that runs a command of this body, once it has said "begun". */
async function begun(
  body: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ child: ChildProcess; ended: Promise<[number, string]> }> {
  const file = inFolder("command.mts");
  const command = `{ parse() {} }, async (interrupted) => {
    const say = (line) => new Promise((said) => process.stdout.write(line + "\\n", () => said()));
    await say("begun");
    ${body}
  }`;
  await writeFile(
    file,
    `import { runCommand } from ${JSON.stringify(MODULE)};\nawait runCommand(${command});`,
  );
  const child = spawn(process.execPath, ["--import", TSX, file], { env: { ...process.env, ...env } });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => void (errors += chunk.toString()));
  const ended = once(child, "close").then(([code]): [number, string] => [code as number, errors]);
  await once(child.stdout, "data");
  return { child, ended };
}

describe("runCommand", () => {
  it("goes on where nobody reads any more", async () => {
    const { child, ended } = await begun(`await new Promise((done) => setTimeout(done, 200));
      for (let i = 0; i < 3; i++) await say("line");
      process.stderr.write("done");`);
    child.stdout!.destroy();
    expect(await ended).toEqual([0, "done"]);
  });

  const TIDY = `const waiting = setTimeout(() => {}, 60_000);
    await new Promise((done) => interrupted.addEventListener("abort", () => setTimeout(done, 300)));
    clearTimeout(waiting);
    process.stderr.write("tidy");
    interrupted.throwIfAborted();`;

  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)(
    "ends tidily when %s comes twice at once",
    async (signal) => {
      const { child, ended } = await begun(TIDY);
      child.kill(signal);
      setTimeout(() => child.kill(signal), 100);
      expect(await ended).toEqual([130, expect.stringMatching(/tidy$/)]);
    },
  );

  it("leaves at once at a second Ctrl-C", async () => {
    const { child, ended } = await begun(`setTimeout(() => {}, 60_000); await new Promise(() => {});`);
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGINT"), 1500);
    expect((await ended)[0]).toBe(130);
  });

  it.runIf(process.platform !== "win32")("ends tidily when its launcher is gone", async () => {
    const launcher = spawn("sleep", ["60"]);
    const launched = tellLaunched({ pid: launcher.pid!, script: null });
    const { ended } = await begun(TIDY, launched);
    launcher.kill("SIGKILL");
    expect(await ended).toEqual([130, "\nStopping.\ntidy"]);
  });
});
