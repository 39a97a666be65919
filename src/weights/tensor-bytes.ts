import type { HostTensor } from "./tensors.ts";

/** The bytes of a tensor as they lie in memory and in files: little-endian, row-major; a view, no copy. */
export function tensorBytes({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
