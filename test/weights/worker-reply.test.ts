import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { workerReply } from "../../src/weights/worker-reply.ts";

const refusal = (why: string): Error => new Error(why);
const thread = (code: string): Worker =>
  new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    stdout: true,
    stderr: true,
    execArgv: [],
  });
const reply = (code: string, patience = 20_000): Promise<unknown> =>
  workerReply(thread(code), { patience, refusal });

describe("workerReply", () => {
  it("tells the last line that a thread printed before it ended without a word", async () => {
    const said = `process.stdout.write("trace\\n"); process.stderr.write("Aborted(OOM)\\n", () => process.exit(1));`;
    await expect(reply(said)).rejects.toThrow("the HDF5 library gives up on it (Aborted(OOM))");
    await expect(reply("process.exit(1)")).rejects.toThrow(/gives up on it$/);
  });

  it("takes the message of a thread that prints more than anybody keeps", async () => {
    const much = `import { parentPort } from "node:worker_threads";
      const line = "x".repeat(1000) + "\\n";
      for (let i = 0; i < 2000; i++) await new Promise((done) => process.stdout.write(line, done));
      parentPort.postMessage("done");`;
    expect(await reply(much)).toBe("done");
  });
});
