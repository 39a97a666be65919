import { createHash } from "node:crypto";
import { renameSync } from "node:fs";
import { mkdir, open, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { mapConcurrently } from "../data/concurrency.ts";
import { syncFolder } from "../files/atomic-write.ts";
import { nameBeside, withTemporary } from "../files/temporary.ts";
import { fileError, writeNewFile } from "../files/transfer.ts";
import { outputNames } from "../use/output-sink.ts";
import type { OutputSink } from "../use/output-sink.ts";
import { encodeManifest, MANIFEST, sealed } from "./manifest.ts";
import type { OutputFile, ShardManifest, Worked } from "./manifest.ts";
import type { Places } from "./places.ts";
import { writeArchive } from "./write-archive.ts";

/** Files that are forced to disk at once. */
const AT_ONCE = 16;
/** Photos whose files are written at once. */
const WRITTEN_AT_ONCE = 8;
/** How often the folder that is written says that it is: milliseconds. */
const HEARTBEAT_MS = 60_000;

/**
 * Keeps the outputs of a shard aside, in a hidden folder beside what they become, until all of them are there. A killed process leaves
 * that folder and nothing else.
 */
export class ShardWriter implements OutputSink {
  /** They come to their place together. */
  readonly photosAtOnce = WRITTEN_AT_ONCE;
  readonly #aside: string;
  readonly #files: string;
  readonly #written = new Map<string, OutputFile>();
  readonly #folders = new Set<string>();

  private constructor(aside: string) {
    this.#aside = aside;
    this.#files = join(aside, "files");
  }

  /** Lets `use` fill a writer; what it does not commit is removed. */
  static async with<T>(places: Places, use: (writer: ShardWriter) => Promise<T>): Promise<T> {
    return withTemporary(places.folder, async (aside) => {
      const writer = new ShardWriter(aside);
      try {
        await mkdir(aside);
        await mkdir(writer.#files);
      } catch (error) {
        throw fileError(error, "write", places.folder);
      }
      // Other workers remove what nobody has touched for long.
      const heart = setInterval(() => {
        const now = new Date();
        utimes(aside, now, now).catch(() => undefined);
      }, HEARTBEAT_MS);
      heart.unref();
      try {
        return await use(writer);
      } finally {
        clearInterval(heart);
      }
    });
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.#files, name);
    try {
      await this.#makeFolder(dirname(file));
      await writeFile(file, bytes);
    } catch (error) {
      // By a name that is the same each time: it may come to stand in the manifest.
      throw fileError(error, "write", name);
    }
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.#written.set(name, { name, bytes: bytes.byteLength, sha256 });
  }

  async remove(name: string): Promise<void> {
    this.#written.delete(name);
    await rm(join(this.#files, name), { force: true }).catch(() => undefined);
  }

  /** What was written of a photo, by name. */
  outputsOf(stem: string): OutputFile[] {
    const outputs = Object.values<string>({ ...outputNames(stem) }).flatMap(
      (name) => this.#written.get(name) ?? [],
    );
    return outputs.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Removes what was written of a photo that could not be labelled after all. */
  async discard(stem: string): Promise<void> {
    for (const { name } of this.outputsOf(stem)) await this.remove(name);
  }

  /**
   * Gives the outputs their place, as the folder of the shard with the manifest in it. Where another worker has been quicker, its
   * outputs stay, and ours are removed.
   *
   * @param done gives the manifest of a shard that is there and whole
   * @returns the manifest that is there now
   */
  async commitFolder(
    worked: Worked,
    { folder }: Places,
    done: () => Promise<ShardManifest | null>,
  ): Promise<ShardManifest> {
    const manifest = sealed({ ...worked, archive: null });
    try {
      await writeFile(join(this.#files, MANIFEST), encodeManifest(manifest), { flag: "wx" });
      await this.#sync();
      try {
        await rename(this.#files, folder);
      } catch (error) {
        if (!isInTheWay(error)) throw error;
        const there = await done();
        if (there !== null) return there;
        await this.#exchange(folder);
      }
    } catch (error) {
      throw fileError(error, "write", folder);
    }
    await syncFolder(dirname(folder));
    return manifest;
  }

  /**
   * Gives the outputs their place, as an archive of the shard with the manifest beside it, which comes last and makes it count. Where
   * another worker has been quicker, its archive stays. Two that get here in the same moment replace each other's archive by the
   * same bytes; where they are not the same (other hardware), the manifest may be of the other one's, which its size or digest
   * tells, and the shard is done again.
   *
   * @param done gives the manifest of a shard that is there and whole
   * @returns the manifest that is there now
   */
  async commitArchive(
    worked: Worked,
    { archive, manifest: { tar: beside } }: Places,
    done: () => Promise<ShardManifest | null>,
  ): Promise<ShardManifest> {
    const [ours, ourManifest] = [join(this.#aside, "archive"), join(this.#aside, "manifest")];
    try {
      const outputs = worked.photos.flatMap((photo) => photo.outputs);
      const { bytes, sha256 } = await writeArchive(ours, this.#files, outputs);
      const manifest = sealed({ ...worked, archive: { name: basename(archive), bytes, sha256 } });
      await writeNewFile(ourManifest, [encodeManifest(manifest)]);
      const there = await done();
      if (there !== null) return there;
      await rm(beside, { force: true });
      await rename(ours, archive);
      await syncFolder(dirname(archive));
      await rename(ourManifest, beside);
      await syncFolder(dirname(archive));
      return manifest;
    } catch (error) {
      throw fileError(error, "write", archive);
    }
  }

  /** Replaces a folder that is not whole, or whose photos may do better now. At one go, so that no signal's handler ends the process in between. */
  async #exchange(folder: string): Promise<void> {
    const aside = nameBeside(folder);
    renameSync(folder, aside);
    try {
      renameSync(this.#files, folder);
    } catch (error) {
      renameSync(aside, folder);
      throw error;
    }
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.#files || this.#folders.has(folder)) return;
    await this.#makeFolder(dirname(folder));
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    this.#folders.add(folder);
  }

  /** Forces to disk what is to be there, whatever happens to the machine, once the folder has its name. */
  async #sync(): Promise<void> {
    const names = [...this.#written.keys(), MANIFEST];
    await mapConcurrently(
      names,
      async (name) => {
        const file = await open(join(this.#files, name), "r+");
        try {
          await file.sync();
        } finally {
          await file.close();
        }
      },
      AT_ONCE,
    );
    for (const folder of [...this.#folders, this.#files]) await syncFolder(folder);
  }
}

const isInTheWay = (error: unknown): boolean =>
  ["ENOTEMPTY", "EEXIST", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
