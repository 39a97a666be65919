/** @file Which decoder a file has, where its weights alone do not tell: those of `nearest` and `bilinear` are the same. */
import type { Decoder } from "../../layers/networks/decoder.ts";
import { configModel, ConfigProblem } from "./keras-config.ts";
import { readOperation } from "./keras-operation.ts";

export interface FoundDecoder {
  /** How the decoder doubles the size; undefined where there is none. */
  readonly decoder?: Decoder;
  /** Another decoder of the same weights, where nothing in the file tells it from `decoder`. */
  readonly otherDecoder?: Decoder;
}

/**
 * The decoder of a file, by what it says of itself and by the layers of its model.
 *
 * @param byWeights the one that its weights are of, `nearest` for those of `bilinear` too
 * @param about.decoder what the file says, in whatever words
 * @param about.config the configuration of a Keras model, where the file has one
 */
export function whichDecoder(
  byWeights: Decoder | undefined,
  { decoder: said, config }: { decoder?: string | undefined; config?: unknown },
): FoundDecoder {
  if (byWeights === undefined) return {};
  if (byWeights === "transpose") return { decoder: byWeights };
  const decoder = said === "nearest" || said === "bilinear" ? said : interpolationIn(config);
  return decoder === undefined ? { decoder: "nearest", otherDecoder: "bilinear" } : { decoder };
}

/** How a model doubles an image's size; undefined where its configuration does not tell. */
function interpolationIn(config: unknown): "nearest" | "bilinear" | undefined {
  for (const layer of layersIn(config)) {
    const read = readOperation(layer);
    if (read?.operation.kind === "UpSampling2D" && read.odd === undefined)
      return read.operation.interpolation;
  }
  return undefined;
}

function layersIn(config: unknown): NonNullable<ReturnType<typeof configModel>>["layers"] {
  try {
    return (config === undefined ? undefined : configModel(config))?.layers ?? [];
  } catch (error) {
    // Whoever goes by the layers says what is wrong with them.
    if (error instanceof ConfigProblem) return [];
    throw error;
  }
}
