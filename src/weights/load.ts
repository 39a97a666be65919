import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileError, readFully, withFile } from "../files/transfer.ts";
import { isZip, readKerasArchive } from "./keras-archive.ts";
import { readKerasH5, type ReadH5Options } from "./keras-h5-file.ts";
import { isHdf5 } from "./keras-h5.ts";
import { parseModelConfig } from "./keras-model-config.ts";
import { matchWeights, type MatchedWeights } from "./match/match.ts";
import { readSafetensors } from "./safetensors-file.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { readTfjs } from "./tfjs.ts";
import { isTorchvision, matchTorchvision } from "./torchvision.ts";
import { WeightsError } from "./weights-error.ts";

export { assignWeights, type AssignedWeights, type ExpectedWeight } from "./assign.ts";
export type { MappedWeight, WeightChange } from "./match/match.ts";

export type WeightsFormat = "tfjs" | "keras-h5" | "keras" | "safetensors" | "torchvision";

export interface LoadedWeights extends Omit<MatchedWeights, "decoder"> {
  readonly format: WeightsFormat;
  readonly metadata: Metadata;
}

/** The signal ends the reading when it is aborted. */
export type LoadOptions = Pick<ReadH5Options, "signal">;

/** What a file holds, under its own names. */
interface FileContents {
  readonly tensors: NamedTensors;
  readonly metadata: Metadata;
  /** Of a Keras model, parsed and otherwise unchecked. */
  readonly config?: unknown;
}

type FileFormat = Exclude<WeightsFormat, "torchvision">;

const READERS: Record<FileFormat, (path: string, options: LoadOptions) => Promise<FileContents>> = {
  tfjs: async (path) => {
    const { topology: config, ...contents } = await readTfjs(path);
    return { ...contents, config };
  },
  "keras-h5": async (path, options) => {
    const { config, ...contents } = await readKerasH5(path, options);
    return config === undefined ? contents : { ...contents, config: parseModelConfig(config, path) };
  },
  keras: readKerasArchive,
  safetensors: readSafetensors,
};

const KNOWN = "a folder with a tfjs model.json, a Keras .h5 or .keras file, or a .safetensors file";

/**
 * Loads weights by what is at `path`: a folder with a tfjs `model.json` (or that file itself), a Keras `.h5`, `.hdf5` or
 * `.keras` file, or a `.safetensors` file. Tensors have our names, which are Keras's (see `tensors.ts`), whatever
 * another program calls them: a U-Net as the tutorial's script saves it and torchvision's densenet121 are found by
 * topology and shape.
 *
 * @returns besides the tensors, what of the file became what: `mapping`, `missing` (of ours) and `unused` (of the file's)
 * @throws {WeightsError} one sentence where there is no such file, or it cannot be read, is of no known format, or
 *   holds a network that is like ours and differs; the signal's reason when it is aborted
 */
export async function loadWeights(path: string, options: LoadOptions = {}): Promise<LoadedWeights> {
  const { format, file } = await detectFormat(path);
  const { tensors, metadata, config } = await READERS[format](file, options);
  options.signal?.throwIfAborted();
  if (isTorchvision(tensors)) {
    return { ...matchTorchvision(tensors, path), metadata, format: "torchvision" };
  }
  const { decoder, ...matched } = matchWeights(tensors, { source: path, config });
  // Who does not say which decoder it is means the other one.
  const said = decoder === "nearest" && metadata.decoder === undefined ? { ...metadata, decoder } : metadata;
  return { ...matched, metadata: said, format };
}

async function detectFormat(path: string): Promise<{ format: FileFormat; file: string }> {
  if (await isFolder(path)) {
    const file = join(path, "model.json");
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) {
      throw new WeightsError(
        `Cannot read weights from the folder ${path}: it has no model.json; give ${KNOWN}.`,
      );
    }
    return { format: "tfjs", file };
  }
  switch (extname(path).toLowerCase()) {
    case ".json":
      return { format: "tfjs", file: path };
    case ".h5":
    case ".hdf5":
      return { format: "keras-h5", file: path };
    case ".keras":
      return { format: "keras", file: path };
    case ".safetensors":
      return { format: "safetensors", file: path };
  }
  const start = await withFile(path, async (file, size) => {
    const bytes = new Uint8Array(Math.min(8, size));
    await readFully(file, path, bytes, 0);
    return bytes;
  });
  if (isHdf5(start)) return { format: "keras-h5", file: path };
  // PyTorch's own files are archives too.
  if (isZip(start) && !/^\.(pth?|bin|ckpt)$/.test(extname(path))) return { format: "keras", file: path };
  throw new WeightsError(`Cannot tell what weights ${basename(path)} holds (${path}); give ${KNOWN}.`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
