/**
 * @file Runs `parseKerasH5` in a worker thread: `workerData` is `{ bytes, source }`; the one message back is
 * `{ tensors, metadata }`, or `{ refusal }` with the sentence of a `WeightsError`.
 *
 * Plain JavaScript, because a worker thread does not inherit the TypeScript loader of its parent.
 */
import { existsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

// In a built package there is JavaScript, and no loader.
const built = new URL("./keras-h5.js", import.meta.url);
const { parseKerasH5 } = existsSync(built)
  ? await import(built.href)
  : await (await import("tsx/esm/api")).tsImport("./keras-h5.ts", import.meta.url);
try {
  const weights = await parseKerasH5(workerData.bytes, workerData.source);
  const buffers = Array.from(weights.tensors.values(), ({ data }) => data.buffer);
  parentPort.postMessage(weights, buffers);
} catch (error) {
  if (error?.name !== "WeightsError") throw error;
  parentPort.postMessage({ refusal: error.message });
}
