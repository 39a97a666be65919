import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PRECISIONS } from "../config/index.ts";
import type { Precision } from "../config/index.ts";
import { parseSize, printSize, toSize } from "../image-size.ts";
import type { ImageSize } from "../image-size.ts";
import { RESIZES } from "../data/resizes.ts";
import type { Resize } from "../data/resizes.ts";
import { NORMALIZATIONS } from "../data/normalize.ts";
import type { Normalization } from "../data/normalize.ts";
import type { Size } from "../data/resize.ts";
import { DECODERS } from "../layers/networks/decoder.ts";
import type { Decoder } from "../layers/networks/decoder.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { encoderNamed, ENCODER_NAMES } from "../layers/networks/encoders.ts";
import { sizeProblem } from "../layers/networks/image-size.ts";
import { classNamesOf } from "../weights/class-names.ts";
import { loadWeights } from "../weights/load.ts";
import type { Metadata, NamedTensors } from "../weights/tensors.ts";
import { programLine } from "../files/package.ts";

const RUNS = "runs";

/** A trained network that cannot be used; the message is one sentence for the user. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}

/** A trained network on disk and all that is needed to rebuild it and to feed it. */
export interface Model {
  /** The checkpoint. */
  readonly file: string;
  /** The folder of the run that it lies in, by its `config.json`; null elsewhere. */
  readonly run: string | null;
  /** What photos are resized to. */
  readonly imageSize: Size;
  /** How photos of other shapes come to that size. */
  readonly resize: Resize;
  readonly classNames: readonly string[];
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly normalization: Normalization;
  /** What its activations were stored in while it was trained. */
  readonly precision: Precision;
}

/** What is said where a network gives something else than finite numbers. */
export const notFinite = ({ file }: Model, what: string, precision: Precision): ModelError =>
  new ModelError(
    precision === "f16"
      ? `${file} gives ${what} that are not finite numbers in f16, whose largest is 65504: take --precision f32.`
      : `${file} gives ${what} that are not finite numbers, so its weights are broken: use a checkpoint of before.`,
  );

/** A mask has a byte a pixel. */
const MOST_CLASSES = 256;

/**
 * Finds a trained network: a checkpoint, or the folder of a run (then its `checkpoints/best.safetensors`, else `last`),
 * also by its name below `runs/`. What neither a checkpoint nor its layers say is taken to be the tutorial's (transposed convolutions,
 * pixels in [0, 1], classes without names, trained in f32), but for the image size.
 *
 * @param options.imageSize another size than the one the network was trained at.
 * @throws ModelError when there is none, or it holds an encoder only, or its image size is not known or of no use;
 *   WeightsError when the file cannot be read.
 */
export async function loadModel(
  path: string,
  options: { imageSize?: ImageSize | undefined } = {},
): Promise<Model> {
  const file = await findCheckpoint(path);
  const { tensors, metadata } = await loadWeights(file);
  const encoder = encoderNamed(oneOf(file, metadata, "encoder", ENCODER_NAMES));
  const classes = classesOf(file, tensors, encoder);
  const folder = dirname(dirname(file));
  const inRun = basename(dirname(file)) === "checkpoints" && (await exists(join(folder, "config.json")));
  return {
    file,
    run: inRun ? folder : null,
    classNames:
      classNamesOf(metadata, classes, file) ??
      Array.from({ length: classes }, (_, label) => `class ${label}`),
    imageSize: imageSizeOf(file, metadata, {
      encoder,
      wanted: options.imageSize === undefined ? undefined : toSize(options.imageSize),
    }),
    resize: oneOf(file, metadata, "resize", RESIZES),
    encoder,
    decoder: oneOf(file, metadata, "decoder", DECODERS),
    normalization: oneOf(file, metadata, "normalization", NORMALIZATIONS),
    precision: oneOf(file, metadata, "precision", PRECISIONS),
  };
}

/** The file of a model: the path itself, a tfjs folder, or the best checkpoint of a run. */
export async function findCheckpoint(path: string): Promise<string> {
  const found = [path, join(RUNS, path)];
  for (const candidate of found) {
    const info = await stat(candidate).catch(() => null);
    if (info === null) continue;
    if (!info.isDirectory()) return candidate;
    for (const name of ["best", "last"]) {
      const file = join(candidate, "checkpoints", `${name}.safetensors`);
      if (await exists(file)) return file;
    }
    // Of the second, what reads weights says what it is.
    for (const name of ["model.json", "saved_model.pb"]) {
      if (await exists(join(candidate, name))) return candidate;
    }
    const isRun =
      (await exists(join(candidate, "config.json"))) || (await exists(join(candidate, "checkpoints")));
    throw new ModelError(
      isRun
        ? `The run ${candidate} has no checkpoint yet: let it finish an epoch, or give another run or a model's file.`
        : `${candidate} is not the folder of a run: give one such as ${join(RUNS, "train-1")}, or a model's file (.safetensors, .h5, .keras).`,
    );
  }
  throw new ModelError(
    `There is no model ${path}: give the folder of a run or a model's file (.safetensors, .h5, .keras).`,
  );
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function classesOf(file: string, tensors: NamedTensors, encoder: Encoder): number {
  const bias = tensors.get("head/bias");
  if (bias?.shape.length === 1 && bias.shape[0] <= MOST_CLASSES) return bias.shape[0];
  if (bias?.shape.length === 1) {
    throw new ModelError(
      `${file} has ${bias.shape[0]} classes, and masks can tell ${MOST_CLASSES} apart: give a model of at most as many.`,
    );
  }
  const isEncoder = encoder.layers().some(({ weights }) => weights.some(({ name }) => tensors.has(name)));
  throw new ModelError(
    `${file} ${isEncoder ? "holds the weights of an encoder only" : "does not hold this network"}: give a checkpoint that ` +
      `\`${programLine("train")}\` has written.`,
  );
}

function imageSizeOf(
  file: string,
  { image_size: said }: Metadata,
  { encoder, wanted }: { encoder: Encoder; wanted: Size | undefined },
): Size {
  if (wanted === undefined && said === undefined) {
    throw new ModelError(
      `${file} does not say at which size its photos were trained: give it with --image-size, 128 for example.`,
    );
  }
  const size = wanted ?? parseSize(said);
  const problem =
    size === null ? "must be a number of pixels, or height by width" : sizeProblem(encoder, size);
  if (size !== null && problem === null) return size;
  const where = wanted === undefined ? `The image_size of ${file}` : "--image-size";
  throw new ModelError(`${where} ${problem} (it is ${wanted === undefined ? said : printSize(wanted)}).`);
}

/** A value that the metadata say, or the first where they say none. */
function oneOf<Name extends string>(
  file: string,
  metadata: Metadata,
  key: string,
  names: readonly Name[],
): Name {
  const said = metadata[key] ?? names[0];
  const name = names.find((known) => known === said);
  if (name !== undefined) return name;
  throw new ModelError(
    `${file} has the ${key} "${said}", which this version does not know: it knows ${names.slice(0, -1).join(", ")} and ${names.at(-1)}.`,
  );
}
