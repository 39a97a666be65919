import { Worker } from "node:worker_threads";
import { readFully, withFile } from "../files/transfer.ts";
import { damagedH5, isHdf5 } from "./keras-h5.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";
import { workerReply } from "./worker-reply.ts";

/** What a file of Keras's holds. */
export interface KerasWeights {
  readonly tensors: NamedTensors;
  readonly metadata: Metadata;
  /** The JSON of the model's layers, where the file has it. */
  readonly config?: string;
}

export interface ReadH5Options {
  /** Milliseconds until a file that is not read counts as damaged, by its size by default. */
  readonly patience?: number;
  /** Ends the reading when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** How long a file may take before it counts as damaged; a sound one takes about a second for 30 MB. */
const PATIENCE_MS = 30_000;
const PATIENCE_MS_PER_BYTE = 1e-3;
/** For names, attributes and the library's own objects: the weights themselves lie outside of the heap. */
const THREAD_HEAP_MB = 512;

/**
 * Reads a Keras `.h5` file. The HDF5 library works in a thread of its own, since a damaged file can make it abort,
 * loop for ever and print traces: the thread is then ended, and what it prints goes nowhere.
 *
 * @throws {FileError} where the file cannot be read, is truncated or damaged, or holds other than 32-bit numbers;
 *   the signal's reason when it is aborted
 */
export async function readKerasH5(path: string, options: ReadH5Options = {}): Promise<KerasWeights> {
  const bytes = await withFile(path, async (file, size) => {
    const start = new Uint8Array(Math.min(8, size));
    await readFully(file, path, start, 0);
    if (!isHdf5(start)) throw damagedH5(path, "it is not an HDF5 file");
    const whole = new Uint8Array(size);
    await readFully(file, path, whole, 0);
    return whole;
  });
  return parseH5InThread(bytes, path, options);
}

/**
 * {@link readKerasH5} from bytes.
 *
 * @param bytes the whole file; the thread takes them, so that they are empty afterwards
 * @param source what the file is called in messages
 */
export async function parseH5InThread(
  bytes: Uint8Array<ArrayBuffer>,
  source: string,
  { patience = PATIENCE_MS + bytes.length * PATIENCE_MS_PER_BYTE, signal }: ReadH5Options = {},
): Promise<KerasWeights> {
  const worker = new Worker(new URL("./keras-h5-worker.mjs", import.meta.url), {
    workerData: { bytes, source },
    transferList: [bytes.buffer],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  });
  const refusal = (why: string): WeightsError => damagedH5(source, why);
  const reply = await workerReply<KerasWeights | { refusal: string }>(worker, { patience, refusal, signal });
  if ("refusal" in reply) throw new WeightsError(reply.refusal);
  return reply;
}
