import { Worker } from "node:worker_threads";
import { writeFileAtomically } from "./atomic-write.ts";
import type { H5Layer } from "./keras-h5-writer-layout.ts";
import { h5Layers } from "./keras-h5-writer-layout.ts";
import type { Metadata } from "./tensors.ts";
import { WeightsError, messageOf } from "./weights-error.ts";
import type { WrittenNetwork } from "./written-network.ts";

type Reply = { bytes: Uint8Array } | { refusal: string };

/** The whole U-Net takes seconds; this is for a library that hangs. */
const PATIENCE_MS = 300_000;

/**
 * Writes a Keras `.h5` file of weights, for `load_weights` on the tutorial's model or, for an encoder, on that of
 * `keras.applications`. The HDF5 library works in a thread of its own, since it can abort; the file is put together in
 * memory.
 *
 * @throws {WeightsError} where the library fails or the file cannot be written
 */
export async function writeKerasH5(path: string, network: WrittenNetwork): Promise<void> {
  const bytes = await encodeInThread(path, h5Layers(network), network.metadata);
  await writeFileAtomically(path, [bytes]);
}

async function encodeInThread(
  path: string,
  layers: readonly H5Layer[],
  metadata: Metadata,
): Promise<Uint8Array> {
  const worker = new Worker(new URL("./keras-h5-writer-worker.mjs", import.meta.url), {
    workerData: { layers, metadata },
    stdout: true,
    stderr: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const refuse = (why: string): void => reject(new WeightsError(`Cannot write ${path}: ${why}.`));
      timer = setTimeout(() => refuse("the HDF5 library does not come to an end with it"), PATIENCE_MS);
      worker.once("message", (reply: Reply) => {
        if ("refusal" in reply) refuse(reply.refusal.replace(/^T/, "t").replace(/\.$/, ""));
        else resolve(reply.bytes);
      });
      worker.once("error", (error) => refuse(`the HDF5 library fails on it (${messageOf(error)})`));
      worker.once("exit", () => refuse("the HDF5 library gives up on it"));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
