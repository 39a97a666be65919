import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readMnist } from "../../examples/idx.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "idx-"))));
afterEach(() => rm(folder, { recursive: true }));

/** An IDX file of unsigned bytes. */
function idx(extents: number[], bytes: number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * extents.length);
  head.set([0, 0, 8, extents.length]);
  extents.forEach((extent, axis) => head.writeUInt32BE(extent, 4 + 4 * axis));
  return Buffer.concat([head, Buffer.from(bytes)]);
}

describe("readMnist", () => {
  it("reads images and labels, gzipped or not", async () => {
    await writeFile(join(folder, "train-images-idx3-ubyte.gz"), gzipSync(idx([2, 1, 2], [0, 255, 51, 102])));
    await writeFile(join(folder, "train-labels-idx1-ubyte"), idx([2], [7, 3]));
    const { images, labels } = readMnist(folder, "train");
    expect(images).toEqual(Float32Array.of(0, 1, 0.2, 0.4));
    expect(labels).toEqual(Uint32Array.of(7, 3));
  });

  it("says what is missing, broken or does not fit", async () => {
    const [images, labels] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map((name) =>
      join(folder, name),
    );
    expect(() => readMnist(folder, "t10k")).toThrow(
      "has neither t10k-images-idx3-ubyte.gz nor t10k-images-idx3-ubyte.",
    );
    await writeFile(images, idx([2, 1, 2], [0, 255, 51]));
    await writeFile(labels, idx([1], [7]));
    expect(() => readMnist(folder, "t10k")).toThrow("is no whole IDX file of unsigned bytes");
    await writeFile(images, "");
    expect(() => readMnist(folder, "t10k")).toThrow("is no whole IDX file of unsigned bytes");
    await writeFile(images, idx([2, 1, 1], [0, 255]));
    expect(() => readMnist(folder, "t10k")).toThrow('has 2 images of "t10k" and 1 labels.');
  });
});
