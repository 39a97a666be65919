/**
 * @file Keras 3's `.keras` file: a zip archive of `config.json` (the layers), `metadata.json` and `model.weights.h5`.
 */
import { damagedH5, isHdf5, MODEL_CONFIG_LIMIT } from "./keras-h5.ts";
import { parseH5InThread, type ReadH5Options } from "./keras-h5-file.ts";
import { parseModelConfig } from "./keras-model-config.ts";
import { parseForeignJson } from "../files/json.ts";
import { printable } from "../files/printable.ts";
import type { Metadata, NamedTensors } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";
import { readZipEntries, zipEntryNames } from "../files/zip-entries.ts";

const WEIGHTS = "model.weights.h5";
/** What a buffer of Node's can hold. */
const LARGEST_WEIGHTS = 2 ** 31;

/**
 * Reads the weights of a `.keras` file and what it says of its layers.
 *
 * @returns the tensors under the paths of the file, and the configuration, parsed and otherwise unchecked
 * @throws {FileError} where the file cannot be read, is damaged or incomplete, or is not what it claims to be
 */
export async function readKerasArchive(
  path: string,
  options: ReadH5Options = {},
): Promise<{ tensors: NamedTensors; metadata: Metadata; config: unknown }> {
  const entries = await readZipEntries(path, {
    "config.json": MODEL_CONFIG_LIMIT,
    "metadata.json": MODEL_CONFIG_LIMIT,
    [WEIGHTS]: LARGEST_WEIGHTS,
  });
  const { "config.json": json, "metadata.json": metadata, [WEIGHTS]: weights } = entries;
  if (json === undefined) throw await incomplete(path, "config.json");
  if (weights === undefined) throw await incomplete(path, WEIGHTS);
  const config = parseModelConfig(new TextDecoder().decode(json), path);
  if (!isHdf5(weights)) throw damagedH5(path, `its ${WEIGHTS} is not an HDF5 file`);
  const said = metadata === undefined ? {} : versionOf(new TextDecoder().decode(metadata));
  const parsed = await parseH5InThread(weights, path, options);
  return { tensors: parsed.tensors, metadata: { ...parsed.metadata, ...said }, config };
}

/** The refusal of an archive that holds something else: what that is, where it can be told. */
async function incomplete(path: string, name: string): Promise<WeightsError> {
  const names = await zipEntryNames(path);
  const has = (ending: string): boolean => names.some((other) => other.endsWith(ending));
  const refusal = (what: string): WeightsError => new WeightsError(`Cannot read ${path}: ${what}.`);
  if (has(".weights.npz")) {
    return refusal(
      'its weights are stored as NumPy arrays (model.weights.npz); load it in Keras and save it anew with model.save("x.keras")',
    );
  }
  if (has("saved_model.pb")) {
    return refusal(
      "it is a zipped TensorFlow SavedModel; load it in Python with tf.keras.models.load_model and save it with " +
        'model.save("x.keras")',
    );
  }
  const inner = names.find(
    (other) => /\.(keras|h5|hdf5|safetensors)$|(^|\/)model\.json$/.test(other) && other !== WEIGHTS,
  );
  if (inner !== undefined) {
    return refusal(`it is a zip archive that holds ${printable(inner, 100)}; unpack it and give that`);
  }
  return new WeightsError(
    `Cannot read ${path} as a Keras model: it holds no ${name}; save it anew with model.save("x.keras").`,
  );
}

/** The version of Keras; without it the weights are as good. */
function versionOf(json: string): { keras_version?: string } {
  try {
    const { keras_version: version } = parseForeignJson(json) as { keras_version?: unknown };
    return typeof version === "string" ? { keras_version: version.slice(0, 100) } : {};
  } catch {
    return {};
  }
}
