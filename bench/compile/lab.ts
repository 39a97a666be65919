import { fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ContributedTarget } from "../../src/graph/autotune/contribution.ts";
import { compileOnly } from "./layer.ts";
import type { LabMessage, LabPipeline, LabTask } from "./task.ts";

/** What a task came to. */
export interface LabResult {
  /** The driver that compiled, and its version. */
  readonly adapter: string;
  /** What kernels may ask of the card. */
  readonly target: ContributedTarget;
  readonly pipelines: readonly LabPipeline[];
}

/**
 * Compiles the pipelines of training steps for a card that need not be there, in a process of its own: the drivers that a
 * process finds are decided when it starts.
 *
 * @param family as Mesa's RADV calls it, such as `navi31`.
 * @param progress is told how many pipelines there are so far.
 * @throws Error in one sentence when something is missing to do so, or the driver does not know the family.
 */
export async function compileFor(
  family: string,
  task: LabTask,
  progress: (pipelines: number) => void = () => undefined,
): Promise<LabResult> {
  const folder = await mkdtemp(join(tmpdir(), "bespoke-lab-"));
  const record = join(folder, "pipelines.jsonl");
  try {
    const variables = compileOnly(family, record);
    await writeFile(record, "");
    return await inProcess({ ...process.env, ...variables }, task, progress);
  } catch (error) {
    throw new Error(`${family}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inProcess(
  env: NodeJS.ProcessEnv,
  task: LabTask,
  progress: (pipelines: number) => void,
): Promise<LabResult> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(fileURLToPath(new URL("./process.ts", import.meta.url)), [], {
    ...{ env, execArgv: ["--import", loader], serialization: "advanced" },
    // Mesa and LLVM speak of what they do not know on such cards with every pipeline.
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let spoken = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (spoken = (spoken + text).slice(-2000)));
  return new Promise((resolve, reject) => {
    let adapter = "";
    let target: ContributedTarget;
    const pipelines: LabPipeline[] = [];
    child.on("message", (message: LabMessage) => {
      if ("adapter" in message) ({ adapter, target } = message);
      else if ("pipeline" in message) progress(pipelines.push(message.pipeline));
      else {
        // Dawn's device goes with the process: what it would wait for when it is destroyed never ran.
        child.kill("SIGKILL");
        if ("failed" in message) reject(new Error(message.failed));
        else resolve({ adapter, target, pipelines });
      }
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const unknown = /unknown family/i.test(spoken);
      const how = `the compiler ended with ${signal ?? `exit code ${code}`}:\n${spoken}`;
      reject(
        new Error(
          unknown ? "the installed RADV does not know this card: install a newer mesa-vulkan-drivers." : how,
        ),
      );
    });
    child.send(task);
  });
}
