import { join } from "node:path";
import { MANIFEST } from "./manifest.ts";
import type { OutputsAs } from "./outputs-as.ts";
import { shardName } from "./shard.ts";
import type { Shard } from "./shard.ts";

/** Where what comes of a shard goes. */
export interface Places {
  /** The folder of its files. */
  readonly folder: string;
  readonly archive: string;
  /** What says that the shard is done. */
  readonly manifest: Readonly<Record<OutputsAs, string>>;
}

export function placesOf(out: string, shard: Pick<Shard, "index">): Places {
  const base = join(out, shardName(shard));
  return {
    folder: base,
    archive: `${base}.tar`,
    manifest: { files: join(base, MANIFEST), tar: `${base}.json` },
  };
}
