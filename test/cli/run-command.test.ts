import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
const MODULE = new URL("../../src/cli/run-command.ts", import.meta.url).href;
const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

/** A process that runs a command of this body, once it has said "begun". */
async function begun(body: string): Promise<{ child: ChildProcess; ended: Promise<[number, string]> }> {
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
  const child = spawn(process.execPath, ["--import", TSX, file]);
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

  it("ends tidily when the terminal is closed, also when it is told twice", async () => {
    const { child, ended } = await begun(`const waiting = setTimeout(() => {}, 60_000);
      await new Promise((done) => interrupted.addEventListener("abort", () => setTimeout(done, 300)));
      clearTimeout(waiting);
      process.stderr.write("tidy");
      interrupted.throwIfAborted();`);
    child.kill("SIGHUP");
    setTimeout(() => child.kill("SIGHUP"), 100);
    expect(await ended).toEqual([130, "tidy"]);
  });
});
