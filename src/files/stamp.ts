import { stat } from "node:fs/promises";

/**
 * The state of some files: size and, in nanoseconds, the times when their content and their entry last changed.
 * A file changed or exchanged since then gives another stamp. Undefined when one of them cannot be looked at.
 */
export async function stampOf(...files: string[]): Promise<string | undefined> {
  try {
    const stats = await Promise.all(files.map((file) => stat(file, { bigint: true })));
    return stats.map(({ size, mtimeNs, ctimeNs }) => `${size} ${mtimeNs} ${ctimeNs}`).join(", ");
  } catch {
    return undefined;
  }
}
