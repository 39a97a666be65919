import { Worker } from "node:worker_threads";
import { writeFileAtomically, type AtomicWriteOptions } from "../files/atomic-write.ts";
import type { H5Layer } from "./keras-h5-writer-layout.ts";
import { h5Layers } from "./keras-h5-writer-layout.ts";
import type { Metadata } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";
import { workerReply } from "./worker-reply.ts";
import type { WrittenNetwork } from "./written-network.ts";

type Reply = { bytes: Uint8Array } | { refusal: string };

/** The whole U-Net takes seconds; this is for a library that hangs. */
const PATIENCE_MS = 300_000;

/**
 * Writes a Keras `.h5` file of weights, for `load_weights` on the tutorial's model or, for an encoder, on that of
 * `keras.applications`. The HDF5 library works in a thread of its own, since it can abort; the file is put together in
 * memory.
 *
 * @throws {FileError} where the library fails, or the file cannot be written or may not be replaced; the signal's
 *   reason when it is aborted
 */
export async function writeKerasH5(
  path: string,
  network: WrittenNetwork,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const bytes = await encodeInThread(path, h5Layers(network), network.metadata, options.signal);
  await writeFileAtomically(path, [bytes], options);
}

async function encodeInThread(
  path: string,
  layers: readonly H5Layer[],
  metadata: Metadata,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const worker = new Worker(new URL("./keras-h5-writer-worker.mjs", import.meta.url), {
    workerData: { layers, metadata },
    stdout: true,
    stderr: true,
  });
  const refusal = (why: string): WeightsError => new WeightsError(`Cannot write ${path}: ${why}.`);
  const reply = await workerReply<Reply>(worker, { patience: PATIENCE_MS, refusal, signal });
  if ("refusal" in reply) throw refusal(reply.refusal.replace(/^T/, "t").replace(/\.$/, ""));
  return reply.bytes;
}
