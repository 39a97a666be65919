import type { Resize } from "../../data/resizes.ts";
import type { Size } from "../../data/resize.ts";
import type { Normalization } from "../../data/normalize.ts";
import type { Precision } from "../../config/precision.ts";
import type { Decoder } from "../../layers/networks/decoder.ts";

/** What the server tells the page of the model besides its weights. */
export interface ModelDescription {
  /** As it is called on the page: no path. */
  readonly name: string;
  /** What photos are resized to. */
  readonly imageSize: Size;
  /** How photos of other shapes come to that size. */
  readonly resize: Resize;
  readonly classNames: readonly string[];
  /** Its name. */
  readonly encoder: string;
  readonly decoder: Decoder;
  readonly normalization: Normalization;
  /** What its activations were stored in while it was trained. */
  readonly precision: Precision;
  /** Bytes of the weights. */
  readonly weightBytes: number;
}

/** Where the page finds what the server has for it. */
export const MODEL_PATH = "/model.json";
export const WEIGHTS_PATH = "/model.safetensors";
export const SAMPLES_PATH = "/samples.json";

/** A drawn photo to try the model on. */
export interface SamplePhoto {
  readonly path: string;
  readonly label: string;
}
