import { realpath, stat } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import type { ImageSize } from "../image-size.ts";
import { checkFree, type AtomicWriteOptions } from "../files/atomic-write.ts";
import { writeKerasH5 } from "./keras-h5-writer-file.ts";
import { writeOnnx } from "./onnx/onnx-writer.ts";
import { writeSafetensors } from "./safetensors-file.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { writeTfjs } from "./tfjs-writer.ts";
import { WeightsError } from "./weights-error.ts";
import { writtenNetwork, type WrittenNetwork } from "./written-network.ts";

/** A network in host memory: weights by their names here, and what their file says of itself. */
export interface ModelToWrite {
  /** By their names here. */
  readonly tensors: NamedTensors;
  /** What goes into the file besides; see docs/models.md. */
  readonly metadata: Metadata;
}

/** How a model is written. */
export interface WriteModelOptions {
  /** Replace a file, or a tfjs model in a folder, that is there (of a link, what it leads to); it is refused by default. */
  readonly force?: boolean;
  /** What the weights are called in messages, their file as a rule. */
  readonly source?: string;
  /** Of the photos, in place of what the metadata say. */
  readonly imageSize?: ImageSize;
  /** ONNX only: photos of any size and of bytes go in, labels come out. */
  readonly embed?: boolean;
  /** ONNX only: batch norms that follow a convolution become part of it. */
  readonly foldBatchNorm?: boolean;
  /** When it is aborted before the model has its name, nothing is written. */
  readonly signal?: AbortSignal | undefined;
}

/** What a model can be written as. */
export type WrittenFormat = "safetensors" | "tfjs" | "keras-h5" | "onnx";

const EXTENSIONS: Readonly<Record<string, WrittenFormat>> = {
  ".safetensors": "safetensors",
  ".h5": "keras-h5",
  ".hdf5": "keras-h5",
  ".onnx": "onnx",
};

type Write = (
  path: string,
  network: WrittenNetwork,
  options: WriteModelOptions & AtomicWriteOptions,
) => Promise<void>;

const WRITERS: Readonly<Record<WrittenFormat, Write>> = {
  safetensors: (path, { weights, metadata }, options) => writeSafetensors(path, weights, metadata, options),
  tfjs: (path, network, options) => writeTfjs(path, network, options),
  "keras-h5": (path, network, options) => writeKerasH5(path, network, options),
  onnx: (path, network, options) => writeOnnx(path, network, options),
};

/**
 * Writes a network (a U-Net, or its encoder with or without DenseNet121's top) in the format that the path's name asks
 * for: `.safetensors`, `.h5`, `.onnx`, and a folder, or the `model.json` in one, for a tfjs layers model. Only the
 * network's weights go out, no optimizer's slots and no state of a run. At every moment the path is what it was before
 * or the whole new model, but for what `writeFolderAtomically` says of a folder that is replaced.
 *
 * @throws {FileError} one sentence where a tensor is missing or misshapen, the format is not known, or the path
 *   cannot be written or is taken; the signal's reason when it is aborted
 */
export async function writeModel(
  path: string,
  model: ModelToWrite,
  options: WriteModelOptions = {},
): Promise<void> {
  const { format, file } = await formatOfPath(path);
  if (format !== "onnx" && (options.embed || options.foldBatchNorm)) {
    throw new WeightsError(
      `Only ONNX can take in the preparation of photos or fold batch norms: give a name that ends in .onnx for ${path}.`,
    );
  }
  const { source = `for ${path}`, imageSize, force = false } = options;
  if (format !== "tfjs" && !force) await checkFree(file);
  const target = force ? await realpath(file).catch(() => file) : file;
  const network = writtenNetwork(model, { source, imageSize });
  await WRITERS[format](target, network, { ...options, exclusive: !force });
}

/**
 * The format that a path asks for by its name, and what is to be written: of a tfjs model the folder.
 *
 * @throws {WeightsError} where the name asks for none
 */
export async function formatOfPath(path: string): Promise<{ format: WrittenFormat; file: string }> {
  const kind = await kindAt(path);
  if (kind !== "folder" && basename(path) === "model.json") return { format: "tfjs", file: dirname(path) };
  if (/\.weights\.h5$/i.test(path)) {
    throw new WeightsError(
      `Cannot write ${path}: by such a name Keras 3 expects its own layout; give one that ends in .h5 alone, which it reads as well.`,
    );
  }
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(EXTENSIONS, extension)) return { format: EXTENSIONS[extension], file: path };
  if (kind === "folder" || extension === "" || /[\\/]$/.test(path)) return { format: "tfjs", file: path };
  throw new WeightsError(
    `Cannot tell in what format to write ${path}: give a name that ends in ${Object.keys(EXTENSIONS).join(", ")}, ` +
      "or a folder for a tfjs model.",
  );
}

async function kindAt(path: string): Promise<"file" | "folder" | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) return null;
  return info.isDirectory() ? "folder" : "file";
}
