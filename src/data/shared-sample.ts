import type { Sample } from "./dataset.ts";

/** The sample in memory that all threads see: itself when it is there already, else a copy. */
export function share(sample: Sample): Sample {
  const { image, mask, height, width } = sample;
  if (isShared(image) && isShared(mask)) return sample;
  const memory = new SharedArrayBuffer(image.byteLength + mask.byteLength);
  const shared = {
    ...{ height, width },
    image: new Float32Array(memory, 0, image.length),
    mask: new Uint8Array(memory, image.byteLength, mask.length),
  };
  shared.image.set(image);
  shared.mask.set(mask);
  return shared;
}

const isShared = ({ buffer }: ArrayBufferView): boolean => buffer instanceof SharedArrayBuffer;
