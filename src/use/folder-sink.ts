import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../files/atomic-write.ts";
import type { OutputSink } from "./output-sink.ts";

/** A folder that is there, in which every file comes to its name by a rename: there is never a half one. */
export class FolderSink implements OutputSink {
  /** Much of the time is spent waiting for the disk. */
  readonly photosAtOnce = 4;
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return writeFileAtomically(join(this.folder, name), [bytes]);
  }

  /** What cannot be removed cannot be replaced either, which is told when it comes to that. */
  remove(name: string): Promise<void> {
    return rm(join(this.folder, name), { force: true }).catch(() => undefined);
  }
}
