/**
 * @file The weights manifest of a tfjs layers model (`weightsManifest` in `model.json`): groups of weights, each
 * stored back to back over one or more shard files, plain or quantised. Pure: bytes in, tensors out.
 */
import { z } from "zod";
import { float16ToFloat32 } from "../half-floats.ts";
import { parseForeignJson } from "../files/json.ts";
import { elementCount, formatShape, type Metadata, type TensorData } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";
import { messageOf } from "../message-of.ts";

const weightSchema = z.object({
  name: z.string().min(1),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(["float32", "int32"], "only float32 and int32 weights can be read"),
  quantization: z
    .discriminatedUnion("dtype", [
      z.object({ dtype: z.enum(["uint8", "uint16"]), scale: z.number(), min: z.number() }),
      z.object({ dtype: z.literal("float16") }),
    ])
    .optional(),
});

const modelSchema = z.object({
  format: z.string().nullish(),
  generatedBy: z.string().nullish(),
  convertedBy: z.string().nullish(),
  weightsManifest: z.array(
    z.object({ paths: z.array(z.string().min(1)).min(1), weights: z.array(weightSchema) }),
  ),
  modelTopology: z.unknown().optional(),
  userDefinedMetadata: z.unknown().optional(),
});

/** One weight of the manifest. */
export type TfjsWeight = z.infer<typeof weightSchema>;

/** Weights stored back to back over the files `paths`, which together hold exactly `bytes` bytes. */
export interface TfjsGroup {
  readonly paths: readonly string[];
  readonly weights: readonly TfjsWeight[];
  readonly bytes: number;
}

/** What `model.json` says. */
export interface TfjsModel {
  readonly groups: TfjsGroup[];
  /** Who wrote the file, and the strings among its `userDefinedMetadata`. */
  readonly metadata: Metadata;
  /** The layers as Keras describes them, unchecked. */
  readonly topology?: unknown;
}

/**
 * Reads and checks the text of `model.json`.
 *
 * @param source what the file is called in messages
 * @throws {WeightsError} naming the first field that is not as the format has it
 */
export function parseTfjsModel(text: string, source: string): TfjsModel {
  let json: unknown;
  try {
    json = parseForeignJson(text);
  } catch (error) {
    throw new WeightsError(
      `Cannot read ${source}: it is not JSON (${messageOf(error)}); copy the model anew.`,
    );
  }
  const other = otherJson(json);
  if (other !== undefined) throw new WeightsError(`Cannot read ${source}: it is ${other}.`);
  const model = modelSchema.safeParse(json);
  if (!model.success) {
    const { path, message } = model.error.issues[0];
    const where = path.join(".") || "the whole file";
    throw new WeightsError(`Cannot read ${source} as a tfjs layers model: ${where}: ${message}.`);
  }
  const { weightsManifest, modelTopology: topology, userDefinedMetadata, ...about } = model.data;
  const groups = weightsManifest.map(({ paths, weights }) => {
    const bytes = weights.reduce((sum, weight) => sum + storedBytes(weight, source), 0);
    return { paths, weights, bytes };
  });
  return { groups, metadata: { ...strings(userDefinedMetadata), ...strings(about) }, topology };
}

/** What JSON of other programs' is that goes by the same ending, and what to do about it; undefined for none of them. */
function otherJson(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || "weightsManifest" in json) return undefined;
  if ("weight_map" in json) {
    return (
      "the index of weights that were saved in several files (shards); save them as one file, in Keras with " +
      'model.save_weights("x.weights.h5")'
    );
  }
  if ("class_name" in json) {
    return 'the description of a Keras model without its weights; save both with model.save("x.keras")';
  }
  return undefined;
}

/** The members of an object that are text, and not empty. */
function strings(object: unknown): Metadata {
  if (typeof object !== "object" || object === null) return {};
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value && typeof value === "string"));
}

/**
 * The numbers of one weight, widened from their quantised form where they have one
 * (tfjs-core `io/io_utils.ts`, `decodeWeights`).
 *
 * @param buffer exactly the weight's stored bytes, which the result may keep
 */
export function decodeTfjsWeight({ dtype, quantization }: TfjsWeight, buffer: ArrayBuffer): TensorData {
  if (quantization === undefined) {
    return dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer);
  }
  if (quantization.dtype === "float16") return float16ToFloat32(new Uint16Array(buffer));
  const { scale, min } = quantization;
  const steps = quantization.dtype === "uint8" ? new Uint8Array(buffer) : new Uint16Array(buffer);
  return dtype === "int32"
    ? Int32Array.from(steps, (step) => Math.round(step * scale + min))
    : Float32Array.from(steps, (step) => step * scale + min);
}

/** The bytes a weight takes in its shards. */
export function storedBytes({ name, shape, dtype, quantization }: TfjsWeight, source: string): number {
  if (dtype === "int32" && quantization?.dtype === "float16") {
    throw new WeightsError(`Cannot read ${source}: its int32 weight "${name}" cannot be stored as float16.`);
  }
  const size = quantization === undefined ? 4 : quantization.dtype === "uint8" ? 1 : 2;
  const elements = elementCount([...shape, size]);
  if (elements === undefined) {
    throw new WeightsError(
      `Cannot read ${source}: its weight "${name}" of shape ${formatShape(shape)} is too large.`,
    );
  }
  return elements;
}
