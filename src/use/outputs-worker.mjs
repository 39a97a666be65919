/**
 * @file Runs `makeOutputs` in a worker thread of a `WorkerPool`: each message is an `OutputsJob`.
 *
 * Plain JavaScript, because a worker thread does not inherit the TypeScript loader of its parent.
 */
import { existsSync } from "node:fs";
import { parentPort } from "node:worker_threads";

// In a built package there is JavaScript, and no loader.
const built = new URL("./outputs.js", import.meta.url);
const { makeOutputs } = existsSync(built)
  ? await import(built.href)
  : await (await import("tsx/esm/api")).tsImport("./outputs.ts", import.meta.url);
parentPort.on("message", async (job) => {
  try {
    const { files, ...others } = await makeOutputs(job);
    // Of their own memory, so that it can be handed over.
    const own = files.map(([name, bytes]) => [name, new Uint8Array(bytes)]);
    parentPort.postMessage(
      { result: { files: own, ...others } },
      own.map(([, { buffer }]) => buffer),
    );
  } catch (error) {
    parentPort.postMessage({ error });
  }
});
parentPort.postMessage("ready");
