import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
const path = (file: string): string => new URL(`../../${file}`, import.meta.url).pathname;

describe("npm run ui", { timeout: 30_000 }, () => {
  let folder: string;
  let child: ChildProcess | null = null;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-ui-cli-"));
    await writeFile(join(folder, "config.json"), JSON.stringify({ epochsFrozen: 2, epochsFinetune: 2 }));
  });
  afterEach(() => child?.kill("SIGKILL"));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs Node to its end; `onOutput` sees all that was printed so far. */
  function node(
    args: string[],
    onOutput: (output: string, running: ChildProcess) => void = () => {},
  ): Promise<{ code: number | null; output: string; errors: string }> {
    return new Promise((resolve, reject) => {
      const running = spawn(process.execPath, ["--import", TSX, ...args]);
      child = running;
      let output = "";
      let errors = "";
      running.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        onOutput(output, running);
      });
      running.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
      running.on("error", reject).on("close", (code) => resolve({ code, output, errors }));
    });
  }
  const ui = path("src/cli/ui.ts");

  it("serves a run's page until Ctrl-C", async () => {
    const pages: Promise<string>[] = [];
    const ended = await node([ui, folder, "--port", "0"], (output, running) => {
      const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(output)?.[0];
      if (url === undefined || pages.length > 0) return;
      pages.push(fetch(url).then((response) => response.text()));
      void pages[0].finally(() => running.kill("SIGINT"));
    });
    expect(await pages[0]).toContain("<title>bespoke</title>");
    expect(ended.code).toBe(0);
  });

  it("says in a sentence that a folder is no run's", async () => {
    const { code, output, errors } = await node([ui, join(folder, "figures")]);
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(/figures is no run: give the folder of one, such as .*config\.json\.\n$/);
    expect(errors.split("\n")).toHaveLength(2);
  });

  it("refuses what is no port", async () => {
    const { code, errors } = await node([ui, folder, "--port", "99999"]);
    expect(code).toBe(1);
    expect(errors).toContain('"99999" is no port: give a whole number from 0 to 65535.');
  });

  it.each(["close", "leave"])("does not keep a training process from ending (%s)", async (how) => {
    const script = join(folder, "train.mjs");
    await writeFile(
      script,
      `import { serveRun } from ${JSON.stringify(path("src/ui/serve-run.ts"))};
       const { url, close } = await serveRun({ port: 0 });
       console.log(url);
       await new Promise((resolve) => setTimeout(resolve, 500));
       if (process.argv[2] === "close") await close();
       console.log("done");`,
    );
    const pages: Promise<unknown>[] = [];
    const { code, output, errors } = await node([script, how], (printed) => {
      if (pages.length > 0) return;
      // A page that stays open; where the process just leaves, its connection breaks.
      const events = fetch(`${printed.split("\n")[0]}events`);
      pages.push(events.then((response) => response.text()).catch(() => null));
    });
    expect({ code, output: output.split("\n").slice(1), errors }).toEqual({
      code: 0,
      output: ["done", ""],
      errors: "",
    });
    await pages[0];
  });
});
