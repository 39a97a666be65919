import { writeFolderAtomically, type FolderFile } from "../files/atomic-folder-writer.ts";
import { tensorBytes } from "./tensor-bytes.ts";
import type { Metadata } from "./tensors.ts";
import { tfjsTopology } from "./tfjs-topology.ts";
import type { WrittenNetwork } from "./written-network.ts";

/** As tfjs's own converter cuts them, so that browsers fetch and cache them well. */
const SHARD_BYTES = 4 * 2 ** 20;
/** What tfjs's exporters call the files of a model. */
const MODEL_FILE = /^(model\.json|group\d+-shard\d+of\d+(\.bin)?)$/;

/**
 * Writes a tfjs layers model: `model.json`, whose `userDefinedMetadata` are the network's metadata, and its weights in
 * shards of 4 MiB beside it. `tf.loadLayersModel` takes it.
 *
 * @param folder made anew; the one above it must exist
 * @param options.force replace a model that is there
 * @throws {FileError} where the folder cannot be written, or holds anything else; the signal's reason when it is
 *   aborted
 */
export async function writeTfjs(
  folder: string,
  network: WrittenNetwork,
  { force = false, signal }: { force?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const replaces = force ? (name: string): boolean => MODEL_FILE.test(name) : undefined;
  await writeFolderAtomically(folder, modelFiles(network), { replaces, signal });
}

/** All files of the model; `shardBytes` is for tests. */
export function* modelFiles(network: WrittenNetwork, shardBytes = SHARD_BYTES): Generator<FolderFile> {
  const { weights, metadata } = network;
  const shards = cut([...weights.values()].map(tensorBytes), shardBytes);
  const paths = shards.map((_, i) => `group1-shard${i + 1}of${shards.length}.bin`);
  for (const [i, shard] of shards.entries()) yield [paths[i], shard];
  const specs = [...weights].map(([name, { shape }]) => ({ name, shape, dtype: "float32" }));
  const model: { [key: string]: unknown; userDefinedMetadata: Metadata } = {
    format: "layers-model",
    generatedBy: "bespoke",
    convertedBy: null,
    modelTopology: tfjsTopology(network),
    weightsManifest: [{ paths, weights: specs }],
    userDefinedMetadata: metadata,
  };
  yield ["model.json", [new TextEncoder().encode(JSON.stringify(model))]];
}

/** Cuts pieces laid end to end into shards of `size` bytes, the last of what is left; views, no copies. */
function cut(pieces: readonly Uint8Array[], size: number): Uint8Array[][] {
  const shards: Uint8Array[][] = [];
  let room = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      if (room === 0) {
        shards.push([]);
        room = size;
      }
      const part = piece.subarray(from, from + room);
      shards.at(-1)!.push(part);
      from += part.length;
      room -= part.length;
    }
  }
  return shards;
}
