import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** As `mkdir -p`. (Node's own `recursive` never returns where a file system, `/proc` for one, refuses with ENOENT.) */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  if (await stat(folder).catch(() => null)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another process has just made it.
    if (error.code !== "EEXIST") throw error;
  });
}
