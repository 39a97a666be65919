/**
 * @file Weights from Keras's HDF5 files: what `save_weights("x.h5")` writes, what `model.save("x.h5")` writes, where the
 * same layout lies in the group `model_weights`, and Keras 3's `x.weights.h5`.
 *
 * The first two have a group a layer, named in the attribute `layer_names` of the root; in it a data set a weight,
 * named in the group's attribute `weight_names` (Keras `saving/legacy/hdf5_format.py`). A file without these
 * attributes is read by the paths of its data sets, such as Keras 3's `layers/functional/layers/conv2d_12/vars/0`.
 */
import type * as H5 from "h5wasm";
import type { Dataset, Group } from "h5wasm";
import {
  elementCount,
  formatShape,
  int32FromInt64,
  kerasWeightName,
  type HostTensor,
  type Metadata,
  type NamedTensors,
  type TensorData,
} from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";
import { messageOf } from "../message-of.ts";

type H5Module = Awaited<typeof H5.ready>;

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** How much larger than the file compressed weights may claim to be; trained ones shrink by little. */
const LARGEST_EXPANSION = 64;
const FILE_NAME = "weights.h5";
/** The most characters that a model's description may have: that of a large network has some hundred thousand. */
export const MODEL_CONFIG_LIMIT = 8_000_000;
/** Attributes that describe layers and training, not what a user would say of a model. */
const CONFIGURATIONS = new Set(["model_config", "training_config", "layer_names", "weight_names"]);
/** What a training leaves beside the weights: the optimizer's state, and that of random number generators. */
const NOT_WEIGHTS = /^\/?optimizer(_weights)?\/|(^|\/)seed_generator(_\d+)?\//;

/** Whether these are the first bytes of an HDF5 file. */
export function isHdf5(start: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => start[i] === byte);
}

/**
 * Reads the weights of a Keras `.h5` file.
 *
 * The HDF5 library sees these bytes as the only file there is, so links to other files lead nowhere. It can abort
 * on damaged bytes (the exception says so, and the library is of no more use in this thread), loop for ever, and
 * prints traces; `keras-h5-file.ts` shuts that in.
 *
 * @param bytes the whole file, which the library may keep
 * @param source what the file is called in messages
 * @returns the tensors in the order of the layers, and the JSON of the model's configuration where the file has it
 * @throws {WeightsError} where the file is truncated or damaged, or holds other than 32-bit numbers
 */
export async function parseKerasH5(
  bytes: Uint8Array,
  source = "the file",
): Promise<{ tensors: NamedTensors; metadata: Metadata; config?: string }> {
  // Loaded when first needed: its WebAssembly is some megabytes.
  const h5 = await import("h5wasm");
  const module = await h5.ready;
  module.FS.createDataFile("/", FILE_NAME, bytes, true, false, true);
  let file: H5.File | undefined;
  try {
    file = new h5.File(`/${FILE_NAME}`, "r");
    if (file.file_id < 0n) throw damagedH5(source, "it is truncated or damaged");
    const saved = file.get("model_weights");
    const root = saved instanceof h5.Group ? saved : file;
    const budget = { plain: bytes.length, compressed: bytes.length * LARGEST_EXPANSION };
    const tensors: NamedTensors = new Map();
    for (const [name, dataset] of weightDatasets(h5, root, source)) {
      if (tensors.has(name)) throw damagedH5(source, `it holds the weight "${name}" twice`);
      tensors.set(name, readDataset(module, dataset, budget, source));
    }
    const config = readString(file, "model_config");
    if (config !== undefined && config.length > MODEL_CONFIG_LIMIT) {
      throw damagedH5(source, `its model_config has ${config.length} characters`);
    }
    return { tensors, metadata: readMetadata(file, root), ...(config === undefined ? {} : { config }) };
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw damagedH5(source, `the HDF5 library gives up on it (${messageOf(error)})`);
  } finally {
    close(module, file);
  }
}

function close(module: H5Module, file: H5.File | undefined): void {
  try {
    if (file !== undefined && file.file_id >= 0n) file.close();
    module.FS.unlink(`/${FILE_NAME}`);
  } catch {
    // Only a library that has aborted cannot close; the exception that tells so is on its way.
  }
}

/** The weights' data sets by their names in {@link kerasWeightName}'s scheme. */
function* weightDatasets(h5: typeof H5, root: Group, source: string): Generator<[string, Dataset]> {
  const layers = readNames(root, "layer_names");
  if (layers === undefined) {
    for (const name of root.paths().sort(byNumberedSegments)) {
      if (NOT_WEIGHTS.test(name)) continue;
      const entity = root.get(name);
      if (entity instanceof h5.Dataset) yield [kerasWeightName(name), entity];
    }
    return;
  }
  for (const layer of layers) {
    const group = root.get(layer);
    if (!(group instanceof h5.Group)) throw damagedH5(source, `its layer "${layer}" is missing`);
    for (const weight of readNames(group, "weight_names") ?? []) {
      if (NOT_WEIGHTS.test(weight)) continue;
      const dataset = group.get(weight);
      if (!(dataset instanceof h5.Dataset)) {
        throw damagedH5(source, `the weight "${weight}" of its layer "${layer}" is missing`);
      }
      yield [kerasWeightName(`${layer}/${weight}`), dataset];
    }
  }
}

/** Orders paths as their layers run where they are only counted: HDF5 lists `conv2d_10` before `conv2d_2`. */
function byNumberedSegments(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [stem, number] = numbered(left[i]);
    const [otherStem, otherNumber] = numbered(right[i]);
    if (stem !== otherStem) return stem < otherStem ? -1 : 1;
    if (number !== otherNumber) return number - otherNumber;
  }
  return left.length - right.length;
}

/** `conv2d_12` → `conv2d`, 12; the first of a kind has no number. */
function numbered(segment: string): [stem: string, number: number] {
  const digits = /(?:^|_)(\d{1,9})$/.exec(segment);
  return digits === null ? [segment, -1] : [segment.slice(0, digits.index), Number(digits[1])];
}

function readDataset(
  module: H5Module,
  dataset: Dataset,
  budget: { plain: number; compressed: number },
  source: string,
): HostTensor {
  const {
    shape,
    size,
    total_size: total,
    type,
    signed,
    littleEndian,
    virtual_sources: virtual,
  } = dataset.metadata;
  const { H5T_FLOAT, H5T_INTEGER } = module.H5T_class_t;
  const isFloat = type === H5T_FLOAT.value;
  const isInteger = type === H5T_INTEGER.value;
  // 64 bits have the photos that a Normalization has counted.
  const isKnown = (size === 4 && (isFloat || isInteger)) || (size === 8 && isInteger);
  if (!isKnown || !littleEndian) {
    throw new WeightsError(
      `Cannot read ${source}: its data set "${dataset.path}" does not hold little-endian 32-bit numbers; ` +
        "save the weights as float32.",
    );
  }
  if (shape === null || elementCount(shape) !== total || virtual !== undefined) {
    throw damagedH5(source, `its data set "${dataset.path}" has no data of its own`);
  }
  const bytes = size * total;
  const kind = dataset.filters.length === 0 ? "plain" : "compressed";
  budget[kind] -= bytes;
  if (budget[kind] < 0) {
    const claim = `"${dataset.path}" of shape ${formatShape(shape)}`;
    throw damagedH5(source, `its data set ${claim} claims more bytes than the file can hold`);
  }
  const buffer = readBytes(module, dataset, bytes, source);
  if (size === 8) return { shape, data: int32FromInt64(new BigInt64Array(buffer)) };
  const data: TensorData = isFloat
    ? new Float32Array(buffer)
    : signed
      ? new Int32Array(buffer)
      : new Uint32Array(buffer);
  return { shape, data };
}

/** `Dataset.value` of h5wasm does not look at the status of the read, and would return stale memory on failure. */
function readBytes(module: H5Module, dataset: Dataset, bytes: number, source: string): ArrayBuffer {
  if (bytes === 0) return new ArrayBuffer(0);
  const pointer = module._malloc(bytes);
  if (pointer === 0) throw damagedH5(source, `there is no memory for its data set "${dataset.path}"`);
  try {
    const status = module.get_dataset_data(dataset.file_id, dataset.path, null, null, null, BigInt(pointer));
    if (status < 0) throw damagedH5(source, `its data set "${dataset.path}" cannot be read`);
    return module.HEAPU8.slice(pointer, pointer + bytes).buffer;
  } finally {
    module._free(pointer);
  }
}

/** An attribute that lists names; Keras cuts one over 64 KiB into `NAME0`, `NAME1`, and so on. */
function readNames(group: Group, attribute: string): string[] | undefined {
  const { attrs } = group;
  if (attribute in attrs) return strings(attrs[attribute].value);
  if (!(`${attribute}0` in attrs)) return undefined;
  const names: string[] = [];
  for (let i = 0; `${attribute}${i}` in attrs; i++) names.push(...strings(attrs[`${attribute}${i}`].value));
  return names;
}

/** An attribute's strings. A layer without weights has an empty list, stored as floats. */
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** What the file says of itself: its own attributes that are text, and Keras's of the weights' group. */
function readMetadata(file: Group, root: Group): Metadata {
  const metadata: Metadata = {};
  const keys = Object.keys(file.attrs).filter((key) => !CONFIGURATIONS.has(key));
  for (const [group, names] of [
    [file, keys],
    [root, ["backend", "keras_version"]],
  ] as const) {
    for (const key of names) {
      const value = readString(group, key);
      if (value !== undefined) metadata[key] = value;
    }
  }
  return metadata;
}

function readString({ attrs }: Group, attribute: string): string | undefined {
  const value: unknown = attrs[attribute]?.value;
  return typeof value === "string" ? value : undefined;
}

/** The refusal of a file that is not what it should be; `why` may quote names from the file, of any characters. */
export function damagedH5(source: string, why: string): WeightsError {
  const line = why.replace(/\p{Cc}/gu, "?").slice(0, 400);
  return new WeightsError(`Cannot read ${source} as Keras weights: ${line}; copy or save the file anew.`);
}
