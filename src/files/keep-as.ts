import { copyFile, link, rename, rm } from "node:fs/promises";

/**
 * Keeps a checkpoint under a second name, by rename so that the name never holds half a file. The two share their bytes
 * where the file system has hard links: a checkpoint is never written into, only replaced.
 */
export async function keepAs(checkpoint: string, name: string): Promise<void> {
  const temporary = `${name}.tmp`;
  await rm(temporary, { force: true });
  await link(checkpoint, temporary).catch(() => copyFile(checkpoint, temporary));
  await rename(temporary, name);
}
