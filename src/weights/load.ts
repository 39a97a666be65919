import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileError, readFully, withFile } from "./files.ts";
import { readKerasH5 } from "./keras-h5-file.ts";
import { isHdf5 } from "./keras-h5.ts";
import { readSafetensors } from "./safetensors-file.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { readTfjs } from "./tfjs.ts";
import { WeightsError } from "./weights-error.ts";

export { assignWeights, type AssignedWeights, type ExpectedWeight } from "./assign.ts";

export type WeightsFormat = "tfjs" | "keras-h5" | "safetensors";

export interface LoadedWeights {
  readonly tensors: NamedTensors;
  readonly format: WeightsFormat;
  readonly metadata: Metadata;
}

const READERS: Record<WeightsFormat, (path: string) => Promise<Omit<LoadedWeights, "format">>> = {
  tfjs: readTfjs,
  "keras-h5": (path) => readKerasH5(path),
  safetensors: readSafetensors,
};

const KNOWN = "a folder with a tfjs model.json, a Keras .h5 file, or a .safetensors file";

/**
 * Loads weights by what is at `path`: a folder with a tfjs `model.json` (or that file itself), a Keras `.h5` or
 * `.hdf5` file, or a `.safetensors` file. Tensors have Keras's names (see `tensors.ts`), whatever the source.
 *
 * @throws {WeightsError} one sentence where there is no such file, or it cannot be read, or is of no known format
 */
export async function loadWeights(path: string): Promise<LoadedWeights> {
  const { format, file } = await detectFormat(path);
  return { ...(await READERS[format](file)), format };
}

async function detectFormat(path: string): Promise<{ format: WeightsFormat; file: string }> {
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
    case ".safetensors":
      return { format: "safetensors", file: path };
  }
  const start = await withFile(path, async (file, size) => {
    const bytes = new Uint8Array(Math.min(8, size));
    await readFully(file, path, bytes, 0);
    return bytes;
  });
  if (isHdf5(start)) return { format: "keras-h5", file: path };
  throw new WeightsError(`Cannot tell what weights ${basename(path)} holds (${path}); give ${KNOWN}.`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
