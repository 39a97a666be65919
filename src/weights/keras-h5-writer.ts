/**
 * @file Writes weights as Keras's `save_weights("x.h5")` does: a group a layer, named in the attribute `layer_names` of
 * the root; in it a data set a weight, named in the group's attribute `weight_names`.
 */
import type * as H5 from "h5wasm";
import type { Group } from "h5wasm";
import type { H5Layer } from "./keras-h5-writer-layout.ts";
import type { Metadata } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

const FILE_NAME = "/written.h5";
/** Keras's `HDF5_OBJECT_HEADER_LIMIT`: a longer list is cut into `NAME0`, `NAME1`, and so on. */
const LONGEST_ATTRIBUTE = 64512;
/** Without it Keras takes the file for one of Keras 1 and turns kernels around. */
const KERAS_VERSION = "2.15.0";
/** Of variable length, as h5py stores Python's bytes and its strings. */
const ASCII = "A";
const UTF8 = "S";

/**
 * The bytes of a Keras `.h5` file. The HDF5 library can abort, and is then of no more use in this thread;
 * `keras-h5-writer-file.ts` shuts that in.
 *
 * @param metadata strings, each an attribute of the root, which Keras leaves alone
 * @throws {WeightsError} where the library fails
 */
export async function encodeKerasH5(layers: readonly H5Layer[], metadata: Metadata): Promise<Uint8Array> {
  // Loaded when first needed: its WebAssembly is some megabytes.
  const h5 = await import("h5wasm");
  const { FS } = await h5.ready;
  const file = new h5.File(FILE_NAME, "w");
  if (file.file_id < 0n) throw failed("make a file in memory");
  for (const [key, text] of Object.entries(metadata)) file.create_attribute(key, text, null, UTF8);
  file.create_attribute("backend", "tensorflow", null, ASCII);
  file.create_attribute("keras_version", KERAS_VERSION, null, ASCII);
  writeNames(file, "layer_names", layers);
  for (const layer of layers) writeLayer(h5, file, layer);
  // What is not in the file yet is written now.
  if (file.close() < 0) throw failed("close the file");
  const bytes = FS.readFile(FILE_NAME);
  FS.unlink(FILE_NAME);
  return bytes;
}

function writeLayer(h5: typeof H5, file: H5.File, { name, weights }: H5Layer): void {
  const group = groupAt(h5, file, name.split("/"));
  writeNames(group, "weight_names", weights);
  for (const { name: path, shape, data } of weights) {
    const parts = path.split("/");
    const own = parts.pop()!;
    const made: unknown = groupAt(h5, group, parts).create_dataset({ name: own, data, shape: [...shape] });
    if (!(made instanceof h5.Dataset)) throw failed(`store "${path}"`);
  }
}

/** The group at a path below another, made where it is not there. */
function groupAt(h5: typeof H5, root: Group, path: readonly string[]): Group {
  return path.reduce((group, name) => {
    const there = group.get(name) ?? group.create_group(name);
    if (!(there instanceof h5.Group)) throw failed(`make the group "${path.join("/")}"`);
    return there;
  }, root);
}

/** The attribute that lists names, in pieces where it is too long. */
function writeNames(group: Group, attribute: string, named: readonly { name: string }[]): void {
  // An empty list is one of floats: NumPy cannot tell what it is of.
  if (named.length === 0) {
    group.create_attribute(attribute, new Float64Array(0));
    return;
  }
  const pieces = splitNames(named.map(({ name }) => name));
  for (const [i, names] of pieces.entries()) {
    group.create_attribute(pieces.length === 1 ? attribute : `${attribute}${i}`, names, null, ASCII);
  }
}

/**
 * The fewest nearly equal parts of a list of names that each fit an attribute, as Keras finds them: all names of a part
 * count for as long as its longest.
 */
export function splitNames(names: readonly string[], longest = LONGEST_ATTRIBUTE): string[][] {
  const width = Math.max(...names.map((name) => new TextEncoder().encode(name).length));
  for (let count = 1; ; count++) {
    const parts = splitEvenly(names, count);
    if (parts.every((part) => part.length * width <= longest) || count >= names.length) return parts;
  }
}

/** NumPy's `array_split`: the first parts take one more each until nothing is left over. */
function splitEvenly(names: readonly string[], count: number): string[][] {
  const [size, over] = [Math.floor(names.length / count), names.length % count];
  const start = (part: number): number => part * size + Math.min(part, over);
  return Array.from({ length: count }, (_, part) => names.slice(start(part), start(part + 1)));
}

const failed = (what: string): WeightsError => new WeightsError(`The HDF5 library cannot ${what}.`);
