import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "tar-stream";
import type { OutputFile } from "./manifest.ts";

/** So that the same files make the same bytes, whoever writes them and when. */
const SAME = { mtime: new Date(0), mode: 0o644, uid: 0, gid: 0, type: "file" } as const;

/**
 * Writes files of a folder as an archive, in their order, and forces it to disk; one file is in memory at a time.
 *
 * @returns its size and digest
 */
export async function writeArchive(
  path: string,
  folder: string,
  files: Iterable<OutputFile>,
): Promise<Pick<OutputFile, "bytes" | "sha256">> {
  const archive = pack();
  const fill = async (): Promise<void> => {
    for (const { name } of files) {
      const content = await readFile(join(folder, name));
      await new Promise<void>((resolve, reject) => {
        archive.entry({ ...SAME, name, size: content.length }, content, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
    archive.finalize();
  };
  const filled = fill().catch((error: unknown) => {
    archive.destroy();
    throw error;
  });
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(path, "wx");
  try {
    const drained = (async () => {
      for await (const chunk of archive as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        bytes += chunk.length;
        await file.writeFile(chunk);
      }
    })();
    const [, written] = await Promise.allSettled([drained, filled]);
    // What went wrong with a file says more than that the archive ended.
    if (written.status === "rejected") throw written.reason;
    await drained;
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}
