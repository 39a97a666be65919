import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { recogniseFile, refusalOf } from "../files/recognise.ts";
import { readFully, statFile, withFile } from "../files/transfer.ts";
import { kerasWeightName, type Metadata, type NamedTensors } from "./tensors.ts";
import { decodeTfjsWeight, parseTfjsModel, storedBytes, type TfjsGroup } from "./tfjs-manifest.ts";
import { WeightsError } from "./weights-error.ts";

/** More than any network's description needs, and well within what a string can hold. */
const LARGEST_MODEL_JSON = 100_000_000;

/**
 * Reads the weights of a tfjs layers model: `model.json` and the shards beside it, in any sharding, float32 or
 * int32, plain or quantised (uint8, uint16, float16).
 *
 * @param modelJson the path of `model.json`
 * @returns the tensors in the order of the manifest, and the layers as the file describes them, unchecked
 * @throws {FileError} where a file is missing, has another size than the manifest says, or lies elsewhere
 */
export async function readTfjs(
  modelJson: string,
): Promise<{ tensors: NamedTensors; metadata: Metadata; topology?: unknown }> {
  const { groups, metadata, topology } = parseTfjsModel(await readText(modelJson), modelJson);
  checkShardsOnce(groups, modelJson);
  const tensors: NamedTensors = new Map();
  for (const group of groups) {
    const bytes = await readGroup(group, modelJson);
    let offset = 0;
    for (const weight of group.weights) {
      const name = kerasWeightName(weight.name);
      if (tensors.has(name)) {
        throw new WeightsError(
          `Cannot read ${modelJson}: it lists the weight "${name}" twice; export it anew.`,
        );
      }
      const size = storedBytes(weight, modelJson);
      const data = decodeTfjsWeight(weight, bytes.buffer.slice(offset, offset + size));
      tensors.set(name, { shape: weight.shape, data });
      offset += size;
    }
  }
  return { tensors, metadata, topology };
}

/** A small shard that is listed often would claim any amount of memory. */
function checkShardsOnce(groups: readonly TfjsGroup[], modelJson: string): void {
  const seen = new Set<string>();
  for (const path of groups.flatMap(({ paths }) => paths)) {
    const resolved = shardPath(path, modelJson);
    if (seen.has(resolved)) {
      throw new WeightsError(
        `Cannot read ${modelJson}: it lists the shard ${JSON.stringify(path)} twice; export it anew.`,
      );
    }
    seen.add(resolved);
  }
}

/** The shards of a group end to end. */
async function readGroup(group: TfjsGroup, modelJson: string): Promise<Uint8Array<ArrayBuffer>> {
  const paths = group.paths.map((path) => shardPath(path, modelJson));
  const sizes: number[] = [];
  for (const path of paths) sizes.push((await statFile(path)).size);
  if (sizes.reduce((sum, size) => sum + size, 0) !== group.bytes) {
    for (const path of paths) {
      const found = await recogniseFile(path);
      if (found !== undefined) throw refusalOf(path, found);
    }
    throw wrongSize(group, sizes, modelJson);
  }
  const bytes = new Uint8Array(group.bytes);
  let offset = 0;
  for (const [i, path] of paths.entries()) {
    const part = bytes.subarray(offset, (offset += sizes[i]));
    await withFile(path, (file) => readFully(file, path, part, 0));
  }
  return bytes;
}

/** A shard's path, which must stay in the model's folder: a model from elsewhere must not read other files. */
function shardPath(path: string, modelJson: string): string {
  const folder = resolve(dirname(modelJson));
  const inside = relative(folder, resolve(folder, path));
  if (isAbsolute(path) || isAbsolute(inside) || inside.split(/[\\/]/)[0] === ".." || /[\\\0]/.test(path)) {
    throw new WeightsError(
      `Cannot read ${modelJson}: its shard ${JSON.stringify(path)} lies outside the model's folder; export it anew.`,
    );
  }
  return join(dirname(modelJson), inside);
}

function wrongSize({ paths, bytes }: TfjsGroup, sizes: readonly number[], modelJson: string): WeightsError {
  const found = sizes.reduce((sum, size) => sum + size, 0);
  // Exporters cut shards of one size, only the last is shorter: another that differs is the damaged one.
  const full = Math.max(...sizes);
  const odd = sizes.findIndex((size, i) => i < sizes.length - 1 && size !== full);
  const shard = paths[odd === -1 ? paths.length - 1 : odd];
  const difference = found < bytes ? `${bytes - found} bytes short` : `${found - bytes} bytes too long`;
  const among = paths.length === 1 ? "" : ` (or another of its group's ${paths.length} shards)`;
  return new WeightsError(
    `Cannot read ${modelJson}: its shard "${shard}"${among} is ${difference} of the ${bytes} bytes of its weights; ` +
      "copy the model anew.",
  );
}

function readText(path: string): Promise<string> {
  return withFile(path, async (file, size) => {
    if (size > LARGEST_MODEL_JSON) {
      throw new WeightsError(
        `Cannot read ${path}: at ${size} bytes it is too large for a model's description.`,
      );
    }
    const bytes = new Uint8Array(size);
    await readFully(file, path, bytes, 0);
    return new TextDecoder().decode(bytes);
  });
}
