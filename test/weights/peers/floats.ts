import { readFileSync } from "node:fs";

/** The numbers of a file that NumPy's `tofile` made. */
export function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
