import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { mapConcurrently } from "../data/concurrency.ts";
import type { OutputFile, ShardManifest } from "./manifest.ts";
import type { Places } from "./places.ts";

/** Files that are looked at at once. */
const AT_ONCE = 16;

/** A file that is not what its manifest says. */
export interface OutputProblem {
  readonly file: string;
  /** The end of a sentence that begins with the file. */
  readonly problem: string;
}

/**
 * Compares what lies there of a shard with its manifest: each size, and each digest unless it has to be quick. Of an archive that is
 * the archive.
 */
export async function checkOutputs(
  manifest: ShardManifest,
  { folder, archive }: Places,
  { quick, signal }: { readonly quick: boolean; readonly signal?: AbortSignal | undefined },
): Promise<OutputProblem[]> {
  const files =
    manifest.archive === null
      ? manifest.photos.flatMap(({ outputs }) =>
          outputs.map((expected) => ({ file: join(folder, expected.name), expected })),
        )
      : [{ file: archive, expected: manifest.archive }];
  const problems = await mapConcurrently(
    files,
    async ({ file, expected }) => {
      signal?.throwIfAborted();
      const problem = await problemOf(file, expected, quick);
      return problem === null ? [] : [{ file, problem }];
    },
    AT_ONCE,
  );
  return problems.flat();
}

async function problemOf(
  file: string,
  { bytes, sha256 }: OutputFile,
  quick: boolean,
): Promise<string | null> {
  let size: number;
  try {
    const info = await stat(file);
    if (!info.isFile()) return "is no file";
    ({ size } = info);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "is not there";
    throw error;
  }
  if (size !== bytes) return `has ${size} bytes instead of ${bytes}`;
  if (quick || (await sha256Of(file)) === sha256) return null;
  return "is not the file that was written (its digest is another): remove it, and label the shard again";
}

/** The SHA-256 of a file, in hexadecimal digits. */
export async function sha256Of(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
