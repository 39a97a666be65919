/**
 * @file Runs `encodeKerasH5` in a worker thread: `workerData` is `{ layers, metadata }`; the one message back is
 * `{ bytes }`, or `{ refusal }` with the sentence of a `WeightsError`.
 *
 * Plain JavaScript, because a worker thread does not inherit the TypeScript loader of its parent.
 */
import { existsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

// In a built package there is JavaScript, and no loader.
const built = new URL("./keras-h5-writer.js", import.meta.url);
const { encodeKerasH5 } = existsSync(built)
  ? await import(built.href)
  : await (await import("tsx/esm/api")).tsImport("./keras-h5-writer.ts", import.meta.url);
try {
  const bytes = await encodeKerasH5(workerData.layers, workerData.metadata);
  parentPort.postMessage({ bytes }, [bytes.buffer]);
} catch (error) {
  if (error?.name !== "WeightsError") throw error;
  parentPort.postMessage({ refusal: error.message });
}
