/**
 * @file How long the photos of a data set take to load, decode and resize: the first time, and from the cache.
 * `npm run bench:data -- DIR [image size]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { FolderDataset } from "../src/data/folder-dataset.ts";

const [folder, size = "128"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("Give the folder of a data set: npm run bench:data -- DIR [image size]");
  process.exit(1);
}
const cacheFolder = await mkdtemp(join(tmpdir(), "bespoke-bench-"));
try {
  const seconds: Record<string, number> = {};
  let photos = 0;
  for (const run of ["first time", "from the cache"]) {
    const start = performance.now();
    const dataset = await FolderDataset.open(folder, { imageSize: Number(size), cacheFolder });
    await dataset.readAll();
    seconds[run] = Number(((performance.now() - start) / 1000).toFixed(2));
    photos = dataset.size;
  }
  console.log(
    JSON.stringify({ photos, imageSize: Number(size), cpu: cpus()[0]?.model, cores: cpus().length, seconds }),
  );
} finally {
  await rm(cacheFolder, { recursive: true });
}
