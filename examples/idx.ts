/** @file Reads MNIST as it is published: IDX files, gzipped or not (LeCun, Cortes, Burges, "The MNIST database"). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface Digits {
  /** `[count, 28, 28, 1]` in [0, 1]. */
  readonly images: Float32Array;
  /** `[count]`. */
  readonly labels: Uint32Array;
}

/**
 * The images and labels of `train` or `t10k` in a folder that has, for example, `train-images-idx3-ubyte.gz`.
 *
 * @throws Error when a file is missing or is none of bytes, or there are not as many labels as images.
 */
export function readMnist(folder: string, part: "train" | "t10k"): Digits {
  const pixels = readIdx(folder, `${part}-images-idx3-ubyte`);
  const labels = readIdx(folder, `${part}-labels-idx1-ubyte`);
  if (pixels.extents[0] !== labels.extents[0])
    throw new Error(
      `${folder} has ${pixels.extents[0]} images of "${part}" and ${labels.extents[0]} labels.`,
    );
  return {
    images: Float32Array.from(pixels.bytes, (value) => value / 255),
    labels: Uint32Array.from(labels.bytes),
  };
}

function readIdx(folder: string, name: string): { extents: number[]; bytes: Uint8Array } {
  const path = [`${name}.gz`, name].map((file) => join(folder, file)).find((file) => existsSync(file));
  if (path === undefined) throw new Error(`${folder} has neither ${name}.gz nor ${name}.`);
  const read = readFileSync(path);
  const file = path.endsWith(".gz") ? gunzipSync(read) : read;
  // Two zeros, 8 for unsigned bytes, the number of axes; then their extents.
  const rank = file.length >= 4 && file.readUInt16BE(0) === 0 && file[2] === 8 ? file[3] : 0;
  const whole = file.length >= 4 + 4 * rank;
  const extents = whole ? Array.from({ length: rank }, (_, axis) => file.readUInt32BE(4 + 4 * axis)) : [];
  const size = extents.reduce((product, extent) => product * extent, 1);
  if (rank === 0 || file.length !== 4 + 4 * rank + size)
    throw new Error(`${path} is no whole IDX file of unsigned bytes: download it again.`);
  return { extents, bytes: file.subarray(4 + 4 * rank) };
}
