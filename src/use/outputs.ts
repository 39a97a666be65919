import type { Photo } from "../data/photo.ts";
import type { Size } from "../data/resize.ts";
import { classShares } from "../masks/class-shares.ts";
import type { ClassShare } from "../masks/class-shares.ts";
import { countClasses } from "../masks/count-classes.ts";
import { maskFromLogits } from "../masks/mask-from-logits.ts";
import { overlayFigure } from "../runs/figures/overlay.ts";
import { encodeSafetensors } from "../weights/safetensors.ts";
import type { MaskPng } from "./mask-kinds.ts";
import { maskPng } from "./mask-png.ts";
import { cocoAreas, geoJson } from "./outline-files.ts";
import type { CocoArea } from "./outline-files.ts";
import type { OutputKind } from "./output-kinds.ts";
import type { OutputNames } from "./output-sink.ts";

/** What the files of a photo are made of. Plain data, for threads to be handed. */
export interface OutputsJob {
  readonly photo: Photo;
  /** The mask `[height, width]` of the photo, or the scores that it is to be made of. */
  readonly labels: { readonly mask: Uint8Array } | { readonly scores: Float32Array; readonly size: Size };
  /** To be written, `[height, width, classes]`, with their height and width. */
  readonly logits: { readonly values: Float32Array; readonly size: Size } | null;
  readonly classNames: readonly string[];
  readonly wanted: WantedOutputs;
  /** What the JSON says of the photo besides its size and its classes' shares. */
  readonly report: { readonly photo: string } & Readonly<Record<string, unknown>>;
}

/** Which files are made, and how. */
export interface WantedOutputs {
  readonly kinds: readonly OutputKind[];
  readonly maskPng: MaskPng;
  readonly geoJson: boolean;
  readonly coco: boolean;
}

/** What was made of a photo. */
export interface Outputs {
  /** The files, in the order in which they are to be written: the longest name first, the JSON last. */
  readonly files: readonly (readonly [name: keyof OutputNames, bytes: Uint8Array])[];
  readonly shares: readonly ClassShare[];
  /** The photo's part of a COCO file, where one is wanted. */
  readonly areas: readonly CocoArea[] | null;
}

/** Makes the files of a photo. */
export async function makeOutputs(job: OutputsJob): Promise<Outputs> {
  const { photo, labels, logits, classNames, wanted, report } = job;
  const { width, height, pixels } = photo;
  const size = { width, height };
  const mask =
    "mask" in labels ? labels.mask : maskFromLogits(labels.scores, labels.size, classNames.length, size);
  const counts = countClasses([mask]);
  const shares = classShares(mask, classNames, counts);
  const files: [keyof OutputNames, Uint8Array][] = [];
  if (logits !== null) {
    const shape = [logits.size.height, logits.size.width, classNames.length];
    const tensors = new Map([["logits", { shape, data: logits.values }]]);
    files.push(["logits", encodeSafetensors(tensors, { classes: JSON.stringify(classNames) })]);
  }
  const makes = (kind: OutputKind): boolean => wanted.kinds.includes(kind);
  // Both at once: they are compressed outside of JavaScript's thread.
  const [overlay, png] = await Promise.all([
    makes("overlay") ? overlayFigure({ photo: { ...size, rgb: pixels }, mask, classNames, counts }) : null,
    makes("mask") ? maskPng(mask, size, wanted.maskPng) : null,
  ]);
  if (overlay) files.push(["overlay", overlay]);
  if (png) files.push(["mask", png]);
  const labelled = { ...size, mask };
  if (wanted.geoJson) files.push(["geoJson", text(geoJson(labelled, classNames))]);
  if (makes("json")) {
    const { photo: name, ...others } = report;
    files.push(["shares", text({ photo: name, width, height, ...others, classes: shares }, 2)]);
  }
  return { files, shares, areas: wanted.coco ? cocoAreas(labelled, classNames) : null };
}

const text = (value: unknown, indent?: number): Buffer =>
  Buffer.from(JSON.stringify(value, null, indent) + (indent === undefined ? "" : "\n"));
