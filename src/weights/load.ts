import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { recogniseFile, refusalOf, type ReadableFormat } from "../files/recognise.ts";
import { fileError } from "../files/transfer.ts";
import { readKerasArchive } from "./keras-archive.ts";
import { readKerasH5, type ReadH5Options } from "./keras-h5-file.ts";
import { parseModelConfig } from "./keras-model-config.ts";
import { saidEncoder } from "./said-encoder.ts";
import { oneOutput } from "./match/misfit.ts";
import { matchWeights, type MatchedWeights } from "./match/match.ts";
import { readSafetensors } from "./safetensors-file.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { readTfjs } from "./tfjs.ts";
import { isTorchvision, matchTorchvision } from "./torchvision.ts";
import { WeightsError } from "./weights-error.ts";

export { assignWeights, type AssignedWeights, type ExpectedWeight } from "./assign.ts";
export type { MappedWeight, WeightChange } from "./match/match.ts";

/** What weights can be read from. */
export type WeightsFormat = "tfjs" | "keras-h5" | "keras" | "safetensors" | "torchvision";

/** Weights of a file, and what the file says of them. */
export interface LoadedWeights extends MatchedWeights {
  /** What the file turned out to be. */
  readonly format: WeightsFormat;
  /** What it says of itself, and what was found out of its network besides. */
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
 * topology and shape. Which encoder a file holds is found out where it does not say it.
 *
 * @returns besides the tensors, what of the file became what: `mapping`, `missing` (of ours) and `unused` (of the file's)
 * @throws {FileError} one sentence where there is no such file, or it cannot be read, is of no known format, or
 *   holds a network that is like ours and differs; the signal's reason when it is aborted
 */
export async function loadWeights(path: string, options: LoadOptions = {}): Promise<LoadedWeights> {
  const { format, file } = await detectFormat(path);
  const { tensors, metadata, config } = await READERS[format](file, options);
  options.signal?.throwIfAborted();
  if (isTorchvision(tensors)) {
    const matched = matchTorchvision(tensors, path);
    return { ...matched, metadata: completed(metadata, matched), format: "torchvision" };
  }
  const { decoder } = metadata;
  const matched = matchWeights(tensors, {
    ...{ source: path, config, encoder: saidEncoder(metadata, path), decoder },
  });
  checkOutputs(matched.tensors, path);
  return { ...matched, metadata: completed(metadata, matched), format };
}

/** What a file says of itself, and what was found out of its network besides. */
function completed(metadata: Metadata, { decoder, encoder }: MatchedWeights): Metadata {
  const said = { ...metadata };
  // Who does not say which decoder it is means the first one.
  if (decoder !== "transpose" && decoder !== undefined) said.decoder ??= decoder;
  if (encoder !== undefined) said.encoder ??= encoder.name;
  // Its own first layers do the rest, whoever has trained it.
  if (encoder?.preprocessing === "inside") said.normalization ??= "bytes";
  return said;
}

/** @throws {WeightsError} where a U-Net has fewer than the two outputs that it takes to tell one class from another */
function checkOutputs(tensors: NamedTensors, source: string): void {
  const outputs = tensors.get("head/bias")?.shape;
  if (outputs?.length !== 1) return;
  if (outputs[0] === 1) throw oneOutput(source);
  if (outputs[0] === 0) {
    throw new WeightsError(
      `${source} has no outputs, so it labels nothing: give a model with one for each class.`,
    );
  }
}

async function detectFormat(path: string): Promise<{ format: FileFormat; file: string }> {
  const file = (await isFolder(path)) ? await fileIn(path) : path;
  const found = await recogniseFile(file);
  const said = found?.format && BY_CONTENT[found.format];
  if (found !== undefined && said === undefined) throw refusalOf(file, found);
  const format = said ?? BY_NAME[extname(file).toLowerCase()];
  if (format !== undefined) return { format, file };
  throw new WeightsError(`Cannot tell what weights ${basename(path)} holds (${path}); give ${KNOWN}.`);
}

/** What a file's first bytes say counts, whatever its name. */
const BY_CONTENT: Readonly<Partial<Record<ReadableFormat, FileFormat>>> = {
  hdf5: "keras-h5",
  zip: "keras",
  safetensors: "safetensors",
};

/** Of a file whose bytes say nothing: JSON, or one that is damaged. */
const BY_NAME: Readonly<Record<string, FileFormat>> = {
  ".json": "tfjs",
  ".h5": "keras-h5",
  ".hdf5": "keras-h5",
  ".keras": "keras",
  ".safetensors": "safetensors",
};

/** The `model.json` of a folder. */
async function fileIn(folder: string): Promise<string> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, "read", folder);
  });
  if (names.includes("model.json")) return join(folder, "model.json");
  if (names.includes("saved_model.pb")) {
    throw new WeightsError(
      `Cannot read weights from the folder ${folder}: it is a TensorFlow SavedModel; load it in Python with ` +
        'tf.keras.models.load_model and save it with model.save("x.keras").',
    );
  }
  if (names.includes("checkpoints")) {
    throw new WeightsError(
      `Cannot read weights from the folder ${folder}: it is a run; give one of its checkpoints, ` +
        `${join(folder, "checkpoints", "best.safetensors")} for example.`,
    );
  }
  throw new WeightsError(
    `Cannot read weights from the folder ${folder}: it has no model.json; give ${KNOWN}.`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
