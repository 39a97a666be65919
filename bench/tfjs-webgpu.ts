import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { openAdapter, wantedAdapter } from "../src/adapter/adapters.ts";

/**
 * Makes tfjs's WebGPU backend the active one, on the adapter that this process uses itself (a device of its own).
 *
 * tfjs looks for `navigator.gpu` once, when the backend is imported, so it is put there before. Results must be read with
 * `data()`: outside of a browser the backend has no `dataSync()`.
 */
export async function startTfjsWebGpu(): Promise<void> {
  if (tf.findBackend("webgpu") === null) {
    const gpu = { requestAdapter: () => openAdapter(wantedAdapter()) };
    Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node" }, configurable: true });
    createRequire(import.meta.url)("@tensorflow/tfjs-backend-webgpu");
  }
  await tf.setBackend("webgpu");
}
