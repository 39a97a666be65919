import { describe, expect, it } from "vitest";
import type { Size } from "../../src/data/resize.ts";
import { slide, windowsAtOnce } from "../../src/use/slide.ts";
import type { SlideOptions, WindowNetwork, WindowedPhoto } from "../../src/use/slide.ts";

const CLASSES = 3;
const OPTIONS: SlideOptions = {
  ...{ classes: CLASSES, normalization: "unit", smallest: 32, window: 32, overlap: 0.25 },
};

/** Says of each pixel that its class is the channel that is brightest. */
class Brightest implements WindowNetwork {
  readonly batchSize = 2;
  readonly sizes: Size[] = [];
  readonly counts: number[] = [];

  keep(sizes: readonly Size[]): void {
    this.sizes.push(...sizes);
  }
  run(images: Float32Array, size: Size, count: number): Promise<Float32Array[]> {
    this.counts.push(count);
    const values = size.width * size.height * 3;
    return Promise.resolve(
      Array.from({ length: count }, (_, i) => images.slice(i * values, (i + 1) * values)),
    );
  }
}

/** Blocks of 10×7 pixels, each bright in one channel; the alpha, where there is one, is brighter still. */
function photo(width: number, height: number, channels: 3 | 4): WindowedPhoto & { truth: Uint8Array } {
  const truth = new Uint8Array(width * height);
  const pixels = new Uint8ClampedArray(width * height * channels).fill(255);
  for (let i = 0; i < truth.length; i++) {
    truth[i] = (Math.floor((i % width) / 10) + Math.floor(i / width / 7)) % CLASSES;
    for (let c = 0; c < 3; c++) pixels[channels * i + c] = c === truth[i] ? 200 : 20 + c;
  }
  return { width, height, pixels, channels, truth };
}

describe("slide", () => {
  it.each([
    ["RGB", 3],
    ["a browser's RGBA", 4],
  ] as const)(
    "labels every pixel of a photo in %s, in batches, and tells how far it is",
    async (_, channels) => {
      const network = new Brightest();
      const heard: (readonly [number, number])[] = [];
      const shown = photo(90, 70, channels);
      const onProgress = (done: number, all: number): void => void heard.push([done, all]);
      expect(await slide(shown, network, { ...OPTIONS, onProgress })).toEqual(shown.truth);
      // Four windows across and three down.
      expect(network.counts).toEqual([2, 2, 2, 2, 2, 2]);
      expect(heard).toEqual([2, 4, 6, 8, 10, 12].map((done) => [done, 12]));
    },
  );

  it("slides windows that are higher than wide, or wider than high", async () => {
    for (const [window, counts] of [
      // Of 90 columns and 70 rows: four windows across and two down; two across and three down.
      [{ height: 64, width: 32 }, [2, 2, 2, 2]],
      [{ height: 32, width: 64 }, [2, 2, 2]],
    ] as const) {
      const network = new Brightest();
      const shown = photo(90, 70, 3);
      expect(await slide(shown, network, { ...OPTIONS, window })).toEqual(shown.truth);
      expect(network.counts).toEqual(counts);
      for (const size of network.sizes) expect(size).toEqual(window);
    }
  });

  it("counts the windows of strips of a wide photo too", async () => {
    const heard: number[] = [];
    const shown = photo(200, 40, 3);
    const bandBytes = 4 * 32 * CLASSES * 64;
    const onProgress = (done: number, all: number): void => void heard.push(done / all);
    const mask = await slide(shown, new Brightest(), { ...OPTIONS, bandBytes, onProgress });
    expect(mask).toEqual(shown.truth);
    expect(heard.at(-1)).toBe(1);
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
  });

  it("ends after the windows in hand when it is told to", async () => {
    const network = new Brightest();
    const end = new AbortController();
    const labelled = slide(photo(90, 70, 3), network, {
      ...{ ...OPTIONS, signal: end.signal },
      onProgress: (done) => done >= 4 && end.abort(new Error("Enough.")),
    });
    await expect(labelled).rejects.toThrow("Enough.");
    expect(network.counts).toEqual([2, 2]);
  });
});

it("shows the network few windows at once, fewer of large ones", () => {
  expect(windowsAtOnce(64, 59)).toBe(8);
  expect(windowsAtOnce(256, 59)).toBe(4);
  expect(windowsAtOnce({ height: 512, width: 128 }, 59)).toBe(4);
  expect(windowsAtOnce(2048, 59)).toBe(1);
});
