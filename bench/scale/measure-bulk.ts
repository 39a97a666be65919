import sharp from "sharp";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { createLabeller } from "../../src/use/create-labeller.ts";
import { loadModel } from "../../src/use/model.ts";
import { predictPhotos } from "../../src/use/predict.ts";
import type { PhotoToLabel } from "../../src/use/predict.ts";
import { mix } from "../step/batch.ts";

/** What one worker does with photos. */
export interface BulkRate {
  readonly photosPerSecond: number;
  /** Of an encoded photo, and of all that is written of it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const DIFFERENT = 8;
const [WIDTH, HEIGHT] = [550, 825];

/** Labels `count` photos of 550×825 with a checkpoint, as `predict` does, from memory into memory. */
export async function measureBulk(gpu: Gpu, checkpoint: string, count: number): Promise<BulkRate> {
  const labeller = await createLabeller(gpu, await loadModel(checkpoint), {
    ...{ precision: "f32", window: null, overlap: 0, tta: [] },
  });
  try {
    const encoded = await Promise.all(Array.from({ length: DIFFERENT }, (_, i) => drawn(i)));
    let bytesOut = 0;
    const sink = {
      put: (_: string, bytes: Uint8Array): Promise<void> => {
        bytesOut += bytes.length;
        return Promise.resolve();
      },
      remove: (): Promise<void> => Promise.resolve(),
    };
    const label = async (photos: number): Promise<void> => {
      const all: PhotoToLabel[] = Array.from({ length: photos }, (_, i) => ({
        ...{ photo: `photo ${i}`, stem: `photo-${i}` },
        read: () => Promise.resolve(encoded[i % DIFFERENT]),
      }));
      const { labelled } = await predictPhotos(labeller, all, sink);
      if (labelled !== photos) throw new Error(`${photos - labelled} photos could not be labelled.`);
    };
    await label(DIFFERENT);
    bytesOut = 0;
    const start = performance.now();
    await label(count);
    const seconds = (performance.now() - start) / 1000;
    const bytesIn = encoded.reduce((sum, { length }) => sum + length, 0) / DIFFERENT;
    return { photosPerSecond: count / seconds, bytesIn, bytesOut: bytesOut / count };
  } finally {
    labeller.destroy();
  }
}

/** Spots of colour, which compress as photos do. */
function drawn(seed: number): Promise<Buffer> {
  const [width, height] = [WIDTH / 10, Math.ceil(HEIGHT / 10)];
  const spots = Uint8Array.from({ length: width * height * 3 }, (_, i) => mix(i + seed * 1e6) & 0xff);
  return sharp(spots, { raw: { width, height, channels: 3 } })
    .resize(WIDTH, HEIGHT, { fit: "fill", kernel: "cubic" })
    .jpeg({ quality: 90 })
    .toBuffer();
}
