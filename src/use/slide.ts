import { normalize } from "../data/normalize.ts";
import type { Normalization } from "../data/normalize.ts";
import { resizeBilinear } from "../data/resize.ts";
import type { Size } from "../data/resize.ts";
import { toSize } from "../image-size.ts";
import type { ImageSize } from "../image-size.ts";
import { ScoreBand } from "./score-band.ts";
import { flipLines, viewsOf } from "./views.ts";
import type { Tta, View } from "./views.ts";
import { gaussianWeights, windowStarts } from "./windows.ts";

/**
 * @file A photo at its own resolution, through windows: in Node and in the browser alike, so nothing of either is here.
 */

/** A photo as Node has it, in RGB, or a browser, with an alpha that nobody looks at: `pixels` is `[height, width, channels]`. */
export interface WindowedPhoto extends Size {
  readonly pixels: Uint8Array | Uint8ClampedArray;
  /** 3 by default. */
  readonly channels?: 3 | 4;
}

/** A network that takes images of several sizes. */
export interface WindowNetwork {
  /** Images at once. */
  readonly batchSize: number;
  /** No images but of these sizes will come. */
  keep(sizes: readonly Size[]): void;
  /**
   * The probabilities of `count` images, at most `batchSize`, of one size.
   *
   * @param images `[batchSize, height, width, 3]`, prepared as in training
   * @returns of each image `[height, width, classes]`
   */
  run(images: Float32Array, size: Size, count: number): Promise<Float32Array[]>;
}

export interface SlideOptions {
  readonly classes: number;
  readonly normalization: Normalization;
  /** Sides of the smallest images that the network takes. */
  readonly smallest: number;
  /** The size of the windows in pixels, one that the network takes; or `"whole"`. */
  readonly window: ImageSize | "whole";
  /** Share of a window that it has in common with the next, from 0 to below 1. */
  readonly overlap: number;
  readonly tta?: readonly Tta[];
  /** Bytes of scores that are held of a photo, 512 MiB by default; a wider one is labelled in strips. */
  readonly bandBytes?: number | undefined;
  /** Told how many windows of all are done. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
  /** Ends the work after the windows in hand. */
  readonly signal?: AbortSignal | undefined;
}

const BAND_BYTES = 512 * 2 ** 20;
/** Bytes of scores that come back from the GPU at once, and windows at most. */
const BATCH_BYTES = 64 * 2 ** 20;
const MOST_WINDOWS = 8;

/** How many windows are best shown to the network at once: as many as have 64 MiB of scores, 8 at the most. */
export function windowsAtOnce(window: ImageSize, classes: number): number {
  const { height, width } = toSize(window);
  return Math.max(1, Math.min(MOST_WINDOWS, Math.floor(BATCH_BYTES / (4 * height * width * classes))));
}

/** Windows beside each other. */
interface Row {
  readonly view: View;
  readonly top: number;
  readonly lefts: readonly number[];
  /** Of a window, in pixels of the photo. */
  readonly region: Size;
  /** Of a window as the network sees it. */
  readonly image: Size;
}

/**
 * The likeliest class of each pixel, `[height, width]`, of a photo that the network sees at its own resolution, in windows that overlap
 * (see windows.ts) or whole. Where windows overlap their probabilities are averaged, each by its weights. Along a side that is
 * shorter than a window, windows are as long as the photo. What reaches past a photo, up to a multiple of 32, is filled with its
 * outermost pixels.
 *
 * Memory is bounded: besides the photo and its mask, the scores of as many rows as a window has, `bandBytes` of them at most.
 *
 * @throws what the network throws; the signal's reason.
 */
export async function slide(
  photo: WindowedPhoto,
  network: WindowNetwork,
  options: SlideOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { classes, window, bandBytes = BAND_BYTES, onProgress, signal } = options;
  const rows = rowsOf(photo, options);
  network.keep(rows.map(({ image }) => image));
  const mask = new Uint8Array(photo.width * photo.height);
  const tallest = Math.min(photo.height, Math.max(...rows.map(({ region }) => region.height)));
  const widest = Math.max(...rows.map(({ region }) => region.width));
  const fitting = Math.floor(bandBytes / (4 * tallest * classes));
  const most = window === "whole" ? photo.width : Math.max(widest, fitting);
  const count = Math.ceil(photo.width / most);
  const strips = Array.from({ length: count }, (_, strip) => {
    const [left, right] = [strip, strip + 1].map((i) => Math.round((i * photo.width) / count));
    const within = ({ lefts, region }: Row): number[] =>
      lefts.filter((at) => at < right && at + region.width > left);
    return { left, right, rows: rows.map((row) => ({ ...row, lefts: within(row) })) };
  });
  const all = strips.flatMap((strip) => strip.rows).reduce((sum, { lefts }) => sum + lefts.length, 0);
  let done = 0;
  for (const { left, right, rows } of strips) {
    const shape = { photoWidth: photo.width, left, width: right - left, rows: tallest, classes };
    const band = new ScoreBand(mask, shape);
    for (const row of rows) {
      band.finish(row.top);
      for (let first = 0; first < row.lefts.length; first += network.batchSize) {
        signal?.throwIfAborted();
        const lefts = row.lefts.slice(first, first + network.batchSize);
        await addWindows(band, photo, { ...row, lefts }, { network, ...options });
        done += lefts.length;
        onProgress?.(done, all);
      }
    }
    band.finish(photo.height);
  }
  return mask;
}

/** All windows of a photo, from top to bottom. */
function rowsOf(photo: Size, { window, overlap, tta = [], smallest }: SlideOptions): Row[] {
  /** Sides of an image that holds a photo whole. */
  const around = (length: number, scale: number): number =>
    Math.max(smallest, 32 * Math.ceil((scale * length) / 32));
  const most = toSize(window === "whole" ? Infinity : window);
  const rows = viewsOf(tta).flatMap((view): Row[] => {
    const width = Math.min(around(photo.width, view.scale), most.width);
    const height = Math.min(around(photo.height, view.scale), most.height);
    const region = { width: Math.round(width / view.scale), height: Math.round(height / view.scale) };
    const lefts = windowStarts(photo.width, region.width, overlap);
    return windowStarts(photo.height, region.height, overlap).map((top) => ({
      ...{ view, top, lefts, region, image: { width, height } },
    }));
  });
  return rows.sort((a, b) => a.top - b.top);
}

/** Shows the network a batch of windows and adds what it says. */
async function addWindows(
  band: ScoreBand,
  photo: WindowedPhoto,
  { view, top, lefts, region, image }: Row,
  {
    network,
    classes,
    normalization,
  }: { network: WindowNetwork; classes: number; normalization: Normalization },
): Promise<void> {
  const [rowWeights, columnWeights] = [gaussianWeights(region.height), gaussianWeights(region.width)];
  const values = image.width * image.height * 3;
  const images = new Float32Array(network.batchSize * values);
  lefts.forEach((left, i) => {
    const pixels = crop(photo, { left, top, ...region });
    const seen = normalize(resizeBilinear(pixels, region, 3, image, 1 / 255), normalization);
    if (view.flipped) flipLines(seen, image.width, 3);
    images.set(seen, i * values);
  });
  const all = await network.run(images, image, lefts.length);
  lefts.forEach((left, i) => {
    if (view.flipped) flipLines(all[i], image.width, classes);
    const isOwnSize = image.width === region.width && image.height === region.height;
    const scores = isOwnSize ? all[i] : resizeBilinear(all[i], image, classes, region);
    band.add(scores, { left, top }, rowWeights, columnWeights);
  });
}

/** A part of a photo, `[height, width, 3]`; past its edges its outermost pixels go on. */
function crop(
  { width, height, pixels, channels = 3 }: WindowedPhoto,
  region: Size & { left: number; top: number },
): Uint8Array {
  const part = new Uint8Array(region.width * region.height * 3);
  for (let y = 0, to = 0; y < region.height; y++) {
    const line = Math.min(region.top + y, height - 1) * width;
    for (let x = 0; x < region.width; x++, to += 3) {
      const from = channels * (line + Math.min(region.left + x, width - 1));
      for (let c = 0; c < 3; c++) part[to + c] = pixels[from + c];
    }
  }
  return part;
}
